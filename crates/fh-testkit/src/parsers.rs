//! Readers by others of what the tools write for machines: the Prometheus project's own client library, and junitparser.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::host;
use crate::service::Missing;

/// A Python that has both libraries.
#[derive(Debug)]
pub struct Parsers {
    python: PathBuf,
}

const PRESENT: &str = "import prometheus_client.parser, junitparser";

/// A list of `[metric, labels, value]`, in the order of the text.
const PROMETHEUS: &str = "\
import json, sys
from prometheus_client.parser import text_string_to_metric_families as read
samples = [s for family in read(sys.stdin.read()) for s in family.samples]
json.dump([[s.name, s.labels, s.value] for s in samples], sys.stdout)
";

/// What the document says of itself, and its cases as `[suite, name, class, [result, …]]`.
const JUNIT: &str = "\
import json, sys
from junitparser import JUnitXml
xml = JUnitXml.fromstring(sys.stdin.buffer.read())
said = [xml.tests, xml.failures, xml.errors, xml.skipped]
cases = [[s.name, c.name, c.classname, [type(r).__name__ for r in c.result]] for s in xml for c in s]
xml.update_statistics()
counted = [xml.tests, xml.failures, xml.errors, xml.skipped]
json.dump({'said': said, 'counted': counted, 'cases': cases}, sys.stdout)
";

impl Parsers {
    /// Finds them; for [`require!`](crate::require).
    ///
    /// # Errors
    /// [`Missing`] when there is no Python with both libraries.
    pub fn try_start() -> Result<Self> {
        let ours = host::target_dir().join("tools/venv/bin/python");
        let found = host::program("FH_TEST_PYTHON", std::slice::from_ref(&ours), "python3");
        let works = |python: &PathBuf| {
            let told = Command::new(python).args(["-c", PRESENT]).output();
            told.is_ok_and(|output| output.status.success())
        };
        let python = found.filter(works).ok_or_else(|| Missing {
            service: "a Python with prometheus-client and junitparser",
            remedy: format!(
                "Looked at FH_TEST_PYTHON, or without it for {} and python3 in PATH. Run `cargo xtask setup`, or \
                 `pip install prometheus-client==0.26.0 junitparser==5.0.3`.",
                ours.display()
            ),
        })?;
        Ok(Self { python })
    }

    /// Reads Prometheus's text format. Gives JSON: a list of `[metric, labels, value]`.
    ///
    /// # Errors
    /// What the library has against the text.
    pub fn prometheus(&self, text: &str) -> Result<String> {
        self.run(PROMETHEUS, text)
    }

    /// Reads JUnit XML. Gives JSON: `cases` as `[suite, name, class, [result, …]]`, and the numbers of tests, failures,
    /// errors and skipped ones, as `said` by the document and as `counted`.
    ///
    /// # Errors
    /// What the library has against the text.
    pub fn junit(&self, text: &str) -> Result<String> {
        self.run(JUNIT, text)
    }

    fn run(&self, script: &str, text: &str) -> Result<String> {
        let mut child = Command::new(&self.python)
            .args(["-c", script])
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.python.display()))?;
        // Both scripts read all of it before they write.
        let mut stdin = child.stdin.take().context("python has no stdin")?;
        stdin.write_all(text.as_bytes())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        ensure!(
            output.status.success(),
            "{}\nin:\n{text}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8(output.stdout)?)
    }
}
