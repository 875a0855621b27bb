//! An S3 server in this process (`s3s-fs`): signatures, checksums, multipart uploads and paging are checked for real.
//!
//! Objects are files below [`S3::root`], so a test can flip or truncate them. Requests are recorded in order, and
//! [`S3::fail`] makes some of them fail. Conditional writes are not atomic here: never judge a race by this server.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use hyper::body::{Body as _, Incoming};
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::host;
use crate::runtime::{OwnRuntime, listen};

/// A running S3 server that ends with this value, together with its objects.
#[derive(Debug)]
pub struct S3 {
    address: SocketAddr,
    dir: tempfile::TempDir,
    state: Arc<Mutex<State>>,
    _runtime: OwnRuntime,
}

/// One request the server has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Request {
    /// `PUT`
    pub method: String,
    /// Path with query, `/bucket/key?partNumber=1`.
    pub path: String,
    /// The status it was answered with.
    pub status: u16,
}

/// Requests that shall fail; see [`S3::fail`].
#[derive(Debug, Clone)]
pub struct S3Fault {
    /// Method, such as `PUT`.
    pub method: String,
    /// Part of the path with query, such as `/sets/` or `uploadId=`.
    pub path_contains: String,
    /// Status code, such as 503.
    pub status: u16,
    /// S3's error code, such as `SlowDown`.
    pub code: String,
    /// How many requests fail before the fault is over.
    pub times: usize,
}

/// What a rule of [`S3::refuse_when`] sees of a request.
#[derive(Debug)]
pub struct S3Call<'a> {
    /// `PUT`
    pub method: &'a str,
    /// Path with query.
    pub path: &'a str,
    /// The request's headers.
    pub headers: &'a hyper::HeaderMap,
}

impl S3Call<'_> {
    /// The value of a header, when it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// How a rule of [`S3::refuse_when`] answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Refusal {
    /// Status code, such as 400. With 200 the answer is an error all the same, as S3 does after a long wait.
    pub status: u16,
    /// S3's error code.
    pub code: String,
    /// The words beside it.
    pub message: String,
}

impl S3Refusal {
    /// A refusal without interesting words.
    #[must_use]
    pub fn new(status: u16, code: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: "scripted".to_owned(),
        }
    }

    /// The same with these words.
    #[must_use]
    pub fn saying(mut self, message: &str) -> Self {
        message.clone_into(&mut self.message);
        self
    }
}

type Rule = dyn Fn(&S3Call<'_>) -> Option<S3Refusal> + Send + Sync;

#[derive(Default)]
struct State {
    requests: Vec<S3Request>,
    faults: Vec<S3Fault>,
    rules: Vec<Box<Rule>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("requests", &self.requests)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl S3 {
    /// Starts the server. It needs nothing installed.
    ///
    /// # Panics
    /// When no loopback port or temporary folder can be had.
    #[must_use]
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn try_start() -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("fh-s3-")
            .tempdir_in(host::short_temp_dir())?;
        let files = s3s_fs::FileSystem::new(dir.path()).map_err(|error| anyhow!("s3s-fs: {error:?}"))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(s3s::auth::SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let state = Arc::new(Mutex::new(State::default()));
        let service = Recorder {
            inner: builder.build(),
            state: Arc::clone(&state),
        };
        let runtime = OwnRuntime::new("fh-s3")?;
        let (listener, address) = listen(0)?;
        runtime.spawn(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                return;
            };
            while let Ok((stream, _)) = listener.accept().await {
                let io = hyper_util::rt::TokioIo::new(stream);
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(io, service.clone());
                tokio::spawn(connection);
            }
        });
        Ok(Self {
            address,
            dir,
            state,
            _runtime: runtime,
        })
    }

    /// `http://127.0.0.1:40123`. Clients must use path-style addresses.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens, for [`Proxy::to`](crate::proxy::Proxy::to).
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The access key id the server knows.
    #[must_use]
    pub fn access_key(&self) -> &'static str {
        ACCESS_KEY
    }

    /// The secret access key that belongs to it.
    #[must_use]
    pub fn secret_key(&self) -> &'static str {
        SECRET_KEY
    }

    /// The folder on disk: one folder per bucket, one file per object at its key.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// The file of an object, whether it exists or not.
    #[must_use]
    pub fn object_path(&self, bucket: &str, key: &str) -> PathBuf {
        self.root().join(bucket).join(key)
    }

    /// Creates an empty bucket.
    ///
    /// # Panics
    /// When it exists already.
    pub fn create_bucket(&self, name: &str) {
        fs_err::create_dir(self.root().join(name)).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Every request answered so far, in the order the answers began.
    #[must_use]
    pub fn requests(&self) -> Vec<S3Request> {
        lock(&self.state).requests.clone()
    }

    /// From now on the next `times` matching requests fail. Their bodies are read but not stored.
    pub fn fail(&self, fault: S3Fault) {
        lock(&self.state).faults.push(fault);
    }

    /// From now on every request is shown to `rule` before it is served, and refused when it says so. A rule may count,
    /// for faults that begin in the middle of a run.
    pub fn refuse_when(&self, rule: impl Fn(&S3Call<'_>) -> Option<S3Refusal> + Send + Sync + 'static) {
        lock(&self.state).rules.push(Box::new(rule));
    }

    /// Ends every fault and every rule.
    pub fn heal(&self) {
        let mut state = lock(&self.state);
        state.faults.clear();
        state.rules.clear();
    }
}

const ACCESS_KEY: &str = "FHTESTKITACCESSKEY00";
const SECRET_KEY: &str = "throw-away/secret+of+the+test+kit+server";

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The service as hyper sees it: faults first, then s3s.
#[derive(Clone)]
struct Recorder {
    inner: S3Service,
    state: Arc<Mutex<State>>,
}

impl Recorder {
    /// The refusal that hits this request: by a fault, one use less, or by a rule.
    fn refusal(&self, call: &S3Call<'_>) -> Option<S3Refusal> {
        let mut state = lock(&self.state);
        let matches = |fault: &&mut S3Fault| {
            fault.times > 0 && fault.method == call.method && call.path.contains(&fault.path_contains)
        };
        if let Some(fault) = state.faults.iter_mut().find(matches) {
            fault.times -= 1;
            return Some(S3Refusal::new(fault.status, &fault.code));
        }
        state.rules.iter().find_map(|rule| rule(call))
    }

    async fn answer(self, request: hyper::Request<Incoming>) -> Result<s3s::HttpResponse> {
        let method = request.method().to_string();
        let path = request
            .uri()
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        let call = S3Call {
            method: &method,
            path: &path,
            headers: request.headers(),
        };
        let response = match self.refusal(&call) {
            Some(S3Refusal {
                status,
                code,
                message,
            }) => {
                // Unread bytes would make the kernel reset the connection before the client sees the answer.
                let mut body = request.into_body();
                while std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))
                    .await
                    .is_some()
                {}
                let text = format!(
                    "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
                );
                hyper::Response::builder().status(status).body(text.into())?
            }
            None => {
                let answer = hyper::service::Service::call(&self.inner, request).await;
                answer
                    .map_err(|error| anyhow!("s3s: {error:?}"))
                    .context("request failed")?
            }
        };
        let status = response.status().as_u16();
        lock(&self.state)
            .requests
            .push(S3Request { method, path, status });
        Ok(response)
    }
}

impl hyper::service::Service<hyper::Request<Incoming>> for Recorder {
    type Response = s3s::HttpResponse;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: hyper::Request<Incoming>) -> Self::Future {
        let recorder = self.clone();
        Box::pin(async move { Ok(recorder.answer(request).await?) })
    }
}
