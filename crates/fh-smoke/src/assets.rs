//! The scripts, styles and images that a page really names: there, of the right type, cached and unchanged.

use fh_core::encodings::base64;
use fh_core::report::{Check, Measure};
use fh_http::Response;
use fh_scenario::html::{Element, Selector, elements};
use fh_scenario::run::Runner;
use fh_scenario::{Assets, Cache, Integrity, Scope};
use url::Url;

use crate::engine::{self, Job};
use crate::findings::slug;
use crate::page::{self, Opened};

/// A day, in seconds: less is not what `immutable` is for.
const DAY: u64 = 86_400;

/// How many assets are asked for at once, as browsers do with one host.
const WIDTH: usize = 6;

/// An asset that a page names.
struct Asset {
    url: Url,
    element: Element,
}

/// Checks the assets of one page. Gives the checks, and whether the target answered.
pub(crate) fn check(runner: &Runner<'_>, assets: &Assets, scope: &Scope) -> (Vec<Check>, bool) {
    let Opened { id, url, response } = match page::open(runner, "assets", &assets.page, scope) {
        Ok(opened) => opened,
        Err(ended) => return ended,
    };
    let html = match response.text() {
        Ok(html) if response.status == 200 => html,
        Ok(_) => {
            let check = Check::fail(&id, format!("{url} answered with status {}", response.status));
            return (vec![check], true);
        }
        Err(why) => return (vec![Check::fail(&id, why)], true),
    };
    let (found, elsewhere) = named(html, &url, assets);
    if found.len() < assets.at_least {
        let summary = format!(
            "the page names {} assets, expected at least {}",
            found.len(),
            assets.at_least
        );
        let check = Check::fail(&id, summary)
            .evidence(format!("{elsewhere} of other origins are not asked for"))
            .hint("was the page built without its bundle, or is it rendered by a script?");
        return (vec![check], true);
    }
    if found.len() > assets.at_most {
        let summary = format!(
            "the page names {} assets, more than at_most {}",
            found.len(),
            assets.at_most
        );
        return (vec![Check::fail(&id, summary)], true);
    }
    let mut checks = Vec::new();
    let mut good = 0_u64;
    let jobs: Vec<Job<'_, Outcome>> = found
        .iter()
        .map(|asset| Box::new(|| problems(runner, assets, asset, &url)) as Job<'_, Outcome>)
        .collect();
    for (asset, outcome) in found.iter().zip(engine::all(&jobs, WIDTH)) {
        match outcome {
            Ok(wrong) if wrong.is_empty() => good += 1,
            Ok(wrong) => {
                let mut check = Check::fail(format!("{id}.{}", name(&asset.url)), wrong.join("; "));
                check.evidence.push(format!("asked: GET {}", asset.url));
                checks.push(check);
            }
            Err(failure) => checks.push(
                page::silence(&format!("{id}.{}", name(&asset.url)), &failure)
                    .0
                    .evidence(format!("asked: GET {}", asset.url)),
            ),
        }
    }
    let summary = format!("{good} of {} assets are as they should be", found.len());
    let first = if checks.is_empty() {
        Check::pass(&id, summary)
    } else {
        Check::fail(&id, summary)
    };
    let mut first = first.measure(Measure::count("assets", found.len() as u64));
    if elsewhere > 0 {
        first = first.evidence(format!("{elsewhere} of other origins are not asked for"));
    }
    checks.insert(0, first);
    (checks, true)
}

/// The last part of a path.
fn name(url: &Url) -> String {
    let last = url.path_segments().and_then(Iterator::last).unwrap_or_default();
    slug(last)
}

/// The assets to ask for, each once, and how many are of other origins.
fn named(html: &str, page: &Url, assets: &Assets) -> (Vec<Asset>, usize) {
    let selectors: Vec<Selector> = assets
        .select
        .iter()
        .filter_map(|selector| Selector::parse(selector).ok())
        .collect();
    let all = elements(html);
    let base = all
        .iter()
        .find(|element| element.name == "base")
        .and_then(|element| element.attribute("href"))
        .and_then(|href| page.join(href).ok())
        .unwrap_or_else(|| page.clone());
    let mut found: Vec<Asset> = Vec::new();
    let mut elsewhere = 0;
    for element in all {
        let Some(address) = selectors
            .iter()
            .find(|selector| selector.selects(&element))
            .and_then(Selector::wanted_attribute)
            .and_then(|attribute| element.attribute(attribute))
        else {
            continue;
        };
        let Ok(mut url) = base.join(address) else { continue };
        url.set_fragment(None);
        if !matches!(url.scheme(), "http" | "https") || found.iter().any(|asset| asset.url == url) {
            continue;
        }
        if assets.same_origin && url.origin() != page.origin() {
            elsewhere += 1;
            continue;
        }
        found.push(Asset { url, element });
    }
    (found, elsewhere)
}

/// What is wrong with an asset, or why there was no answer.
type Outcome = Result<Vec<String>, fh_http::Failure>;

/// What is wrong with an asset.
fn problems(runner: &Runner<'_>, assets: &Assets, asset: &Asset, page: &Url) -> Outcome {
    let mut wrong = Vec::new();
    if page.scheme() == "https" && asset.url.scheme() == "http" {
        wrong.push("it is asked for over http by a page of https, which browsers refuse".to_owned());
    }
    let response = page::get(runner, &asset.url)?;
    if response.status != 200 {
        wrong.push(format!("status {}", response.status));
        return Ok(wrong);
    }
    if response.body.is_empty() {
        wrong.push("it is empty".into());
    }
    if assets.content_type
        && let Some(problem) = wrong_type(&asset.element, &response)
    {
        wrong.push(problem);
    }
    if let Some(cache) = assets.cache
        && let Some(problem) = wrong_cache(cache, &response)
    {
        wrong.push(problem);
    }
    wrong.extend(wrong_integrity(assets.integrity, asset, page, &response));
    Ok(wrong)
}

/// The types that browsers take for an element (HTML standard; RFC 9239 for scripts).
fn wrong_type(element: &Element, response: &Response) -> Option<String> {
    let kind = response.media_type().unwrap_or_else(|| "none".into());
    let is_style = element
        .attribute("rel")
        .is_some_and(|rel| rel.eq_ignore_ascii_case("stylesheet"));
    let (right, wanted) = match element.name.as_str() {
        "script" => (
            matches!(
                kind.as_str(),
                "text/javascript" | "application/javascript" | "application/x-javascript"
            ),
            "text/javascript",
        ),
        "link" if is_style => (kind == "text/css", "text/css"),
        "img" => (kind.starts_with("image/"), "an image type"),
        _ => return None,
    };
    (!right).then(|| format!("content type {kind}, expected {wanted}"))
}

fn wrong_cache(cache: Cache, response: &Response) -> Option<String> {
    let value: Vec<&str> = response.headers("cache-control").collect();
    let value = value.join(", ").to_ascii_lowercase();
    let directives: Vec<&str> = value.split(',').map(str::trim).collect();
    let age = directives
        .iter()
        .find_map(|directive| directive.strip_prefix("max-age="))
        .and_then(|age| age.trim_matches('"').parse::<u64>().ok())
        .unwrap_or(0);
    let refused = directives
        .iter()
        .any(|one| matches!(*one, "no-store" | "no-cache"));
    let right = match cache {
        Cache::Immutable => directives.contains(&"immutable") && age >= DAY && !refused,
        Cache::Cacheable => age > 0 && !refused,
    };
    let said = if value.is_empty() {
        "missing"
    } else {
        value.as_str()
    };
    (!right).then(|| match cache {
        Cache::Immutable => {
            format!("cache-control is {said}, expected immutable and a max-age of a day or more")
        }
        Cache::Cacheable => format!("cache-control is {said}, expected a max-age above 0"),
    })
}

/// Subresource Integrity, "Does response match metadataList": of the strongest algorithm that is given, one hash must fit.
fn wrong_integrity(rule: Integrity, asset: &Asset, page: &Url, response: &Response) -> Option<String> {
    let carries = matches!(asset.element.name.as_str(), "script" | "link");
    let external = asset.url.origin() != page.origin();
    let needed = carries && (rule == Integrity::Always || (rule == Integrity::IfExternal && external));
    let metadata = asset.element.attribute("integrity").unwrap_or_default();
    if metadata.trim().is_empty() {
        return needed.then(|| "the element has no integrity attribute".to_owned());
    }
    let hashes: Vec<(&str, &str)> = metadata
        .split_ascii_whitespace()
        .filter_map(|one| one.split('?').next().unwrap_or(one).split_once('-'))
        .collect();
    for (algorithm, name) in [
        (&ring::digest::SHA512, "sha512"),
        (&ring::digest::SHA384, "sha384"),
        (&ring::digest::SHA256, "sha256"),
    ] {
        let given: Vec<&str> = hashes
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, hash)| *hash)
            .collect();
        if given.is_empty() {
            continue;
        }
        if response.truncated {
            return Some("it is larger than max_body, so that its hash cannot be checked".into());
        }
        let hash = base64(ring::digest::digest(algorithm, &response.body).as_ref());
        return (!given.contains(&hash.as_str()))
            .then(|| format!("its {name} is {hash}, and not what the integrity attribute says"));
    }
    Some("its integrity attribute names no algorithm that browsers know".into())
}
