//! `fh-backup key check` and `fh-backup key rotate`.

use fh_core::Result;
use fh_core::report::{Check, Report, Table};
use fh_repository::{Encryption, Repository, SetState};

use super::verdict;
use crate::cli::Rotate;

/// Says which keys fit.
///
/// # Errors
/// Exit code 2 when a key that was given does not fit, 1 when a description or rotation was changed, 3 when the store
/// cannot be read.
pub async fn check(repository: &Repository) -> Result<Report> {
    let mut report =
        verdict("key check", "Keys of the repository").about("repository", repository.describe());
    report.push(Check::pass(
        "repository key",
        "belongs to this repository, and what the repository says of itself is sealed with it",
    ));
    if *repository.encryption() == Encryption::None {
        report.push(
            Check::warn("recipients", "none: everything is stored in clear")
                .hint("for anything but test data make a new repository with recipients"),
        );
        return Ok(report);
    }
    report.push(recipients(repository));
    report.show(table(repository));
    if let Some(check) = identity(repository).await? {
        report.push(check);
    }
    report.data = serde_json::json!({
        "recipients": repository.recipients(),
        "rotation": repository.rotation(),
    });
    Ok(report)
}

fn recipients(repository: &Repository) -> Check {
    let count = repository.recipients().len();
    let since = match repository.rotation() {
        0 => "since the repository was made".to_owned(),
        number => format!("since rotation {number}"),
    };
    if count == 1 {
        return Check::warn("recipients", format!("only one, {since}")).hint(
            "if that private key is lost, so is every backup: make another pair, keep its identity offline, and `fh-backup key rotate --add` its recipient",
        );
    }
    Check::pass("recipients", format!("{count}, {since}"))
}

fn table(repository: &Repository) -> Table {
    let mut table = Table::new("Sets are encrypted to")
        .left("recipient")
        .left("identity given");
    for recipient in repository.recipients() {
        let opens = repository.identity_opens(std::slice::from_ref(recipient));
        let given = match opens {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        table.push([recipient.clone(), given.to_owned()]);
    }
    table
}

/// Which sets the identity opens. That it opens the repository key was tried when the repository was opened.
async fn identity(repository: &Repository) -> Result<Option<Check>> {
    let Some(current) = repository.identity_opens(repository.recipients()) else {
        return Ok(None);
    };
    let (mut good, mut opened) = (0_usize, 0_usize);
    for set in repository.list_sets().await? {
        if let SetState::Good(header) = set.state {
            good += 1;
            opened += usize::from(repository.identity_opens(repository.recipients_of(&header)) == Some(true));
        }
    }
    let summary = format!("opens the repository key, and {opened} of {good} sets");
    let check = if !current {
        Check::warn("identity", format!("{summary}; later sets are not for it"))
            .hint("keep it for the older sets, and use the identity of a present recipient for new ones")
    } else if opened < good {
        Check::warn("identity", summary)
            .hint("the others are from before it was added: keep the older identities as long as those sets")
    } else {
        Check::pass("identity", summary)
    };
    Ok(Some(check))
}

/// Changes the recipients.
///
/// # Errors
/// Those of [`Repository::rotate`].
pub async fn rotate(repository: &Repository, rotate: &Rotate) -> Result<Report> {
    let rotation = repository.rotate(&rotate.add, &rotate.remove).await?;
    let mut report = verdict("key rotate", format!("Key rotation {}", rotation.number))
        .about("repository", repository.describe());
    report.push(Check::pass(
        "recipients",
        format!("later sets are encrypted to {}", rotation.recipients.join(", ")),
    ));
    if rotation.recipients.len() == 1 {
        report.push(
            Check::warn(
                "one recipient",
                "if that one private key is lost, so is every later backup",
            )
            .hint("give a second recipient and keep its key offline"),
        );
    }
    for gone in &rotate.remove {
        report.push(
            Check::warn("removed", format!("{gone} still opens every set from before this rotation")).hint(
                "if that key leaked, treat the data of those sets as known to others; take a backup now, and remove the old sets as soon as you can",
            ),
        );
    }
    if !rotate.add.is_empty() {
        report.push(
            Check::pass("next backup", "writes everything again, so that the new recipient can read all of it")
                .hint("sets from before stay closed to the new recipient: keep the old identities as long as those sets"),
        );
    }
    report.data = serde_json::json!({ "rotation": rotation.number, "recipients": rotation.recipients });
    Ok(report)
}
