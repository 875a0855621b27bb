//! A TCP proxy that injures connections: latency, throttling, stalls, resets after a number of bytes, a cut line.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc as queue, watch};
use tokio::task::JoinSet;

use crate::runtime::{OwnRuntime, listen};

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer = 0,
    /// From the server to the client.
    ToClient = 1,
}

/// What happens to the bytes of one direction. The default is nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Every piece that arrives is held back this long.
    pub latency: Duration,
    /// At most this many bytes a second per connection; 0 lets nothing through and keeps the connection open.
    pub bytes_per_second: Option<u64>,
    /// A connection is reset (RST both ways) once it has carried this many bytes in this direction since it was opened.
    pub reset_after: Option<u64>,
}

/// A proxy in front of one address. Ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    faults: watch::Sender<[Faults; 2]>,
    orders: queue::UnboundedSender<Order>,
    _runtime: OwnRuntime,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    accepted: AtomicU64,
    carried: [AtomicU64; 2],
}

/// What the tests ask of the listening task; it answers when it is done.
#[derive(Debug)]
enum Order {
    Cut(mpsc::Sender<Result<()>>),
    Heal(mpsc::Sender<Result<()>>),
}

impl Proxy {
    /// A proxy without faults in front of `target`.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn to(target: SocketAddr) -> Self {
        Self::start(target).unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn start(target: SocketAddr) -> Result<Self> {
        let runtime = OwnRuntime::new("fh-proxy")?;
        let (listener, address) = listen(0)?;
        let shared = Arc::new(Shared {
            target,
            accepted: AtomicU64::new(0),
            carried: [AtomicU64::new(0), AtomicU64::new(0)],
        });
        let (faults, faults_receiver) = watch::channel([Faults::default(); 2]);
        let (orders, orders_receiver) = queue::unbounded_channel();
        let listening = Listening {
            shared: Arc::clone(&shared),
            faults: faults_receiver,
            port: address.port(),
        };
        runtime.spawn(async move {
            if let Ok(listener) = TcpListener::from_std(listener) {
                listening.run(listener, orders_receiver).await;
            }
        });
        Ok(Self {
            address,
            shared,
            faults,
            orders,
            _runtime: runtime,
        })
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces the faults of one direction, for open connections too.
    pub fn set(&self, direction: Direction, faults: Faults) {
        self.faults.send_modify(|both| both[direction as usize] = faults);
    }

    /// Resets every connection and refuses new ones until [`Proxy::heal`]. Done when it returns.
    ///
    /// # Panics
    /// When the proxy's thread is gone.
    pub fn cut(&self) {
        self.order(Order::Cut);
    }

    /// Takes connections again after [`Proxy::cut`] and removes every fault.
    ///
    /// # Panics
    /// When another process has taken the port in between.
    pub fn heal(&self) {
        self.faults.send_modify(|both| *both = [Faults::default(); 2]);
        self.order(Order::Heal);
    }

    /// Connections taken so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Bytes carried so far in one direction, all connections together.
    #[must_use]
    pub fn carried(&self, direction: Direction) -> u64 {
        self.shared.carried[direction as usize].load(Ordering::SeqCst)
    }

    fn order(&self, order: impl FnOnce(mpsc::Sender<Result<()>>) -> Order) {
        let (done, wait) = mpsc::channel();
        let sent = self.orders.send(order(done)).context("the proxy has ended");
        let result = sent.and_then(|()| {
            wait.recv_timeout(Duration::from_secs(30))
                .context("the proxy hangs")?
        });
        result.unwrap_or_else(|error| panic!("{error:?}"));
    }
}

/// The task that owns the listener and the connections.
struct Listening {
    shared: Arc<Shared>,
    faults: watch::Receiver<[Faults; 2]>,
    port: u16,
}

impl Listening {
    async fn run(self, listener: TcpListener, mut orders: queue::UnboundedReceiver<Order>) {
        let mut listener = Some(listener);
        let mut connections = JoinSet::new();
        let (mut cut, mut cut_seen) = watch::channel(());
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    None => return,
                    Some(Order::Cut(done)) => {
                        listener = None;
                        // Closing the channel is the sign; every connection resets itself and ends.
                        (cut, cut_seen) = watch::channel(());
                        while connections.join_next().await.is_some() {}
                        let _ = done.send(Ok(()));
                    }
                    Some(Order::Heal(done)) => {
                        let result = if listener.is_none() { self.listen_again() } else { Ok(None) };
                        let _ = done.send(result.map(|new| listener = new.or(listener.take())));
                    }
                },
                accepted = accept(listener.as_ref()) => if let Ok(client) = accepted {
                    self.shared.accepted.fetch_add(1, Ordering::SeqCst);
                    let connection =
                        Connection { shared: Arc::clone(&self.shared), faults: self.faults.clone(), cut: cut_seen.clone() };
                    connections.spawn(connection.run(client));
                },
                Some(_) = connections.join_next() => {}
            }
            // The sender only has to live as long as the line is whole.
            let _ = &cut;
        }
    }

    fn listen_again(&self) -> Result<Option<TcpListener>> {
        Ok(Some(TcpListener::from_std(listen(self.port)?.0)?))
    }
}

/// The next client; never, while there is no listener.
async fn accept(listener: Option<&TcpListener>) -> std::io::Result<TcpStream> {
    match listener {
        Some(listener) => Ok(listener.accept().await?.0),
        None => std::future::pending().await,
    }
}

/// One client with its own connection to the server.
struct Connection {
    shared: Arc<Shared>,
    faults: watch::Receiver<[Faults; 2]>,
    cut: watch::Receiver<()>,
}

/// The connection is to be reset rather than closed.
struct Reset;

impl Connection {
    async fn run(mut self, mut client: TcpStream) {
        let Ok(mut server) = TcpStream::connect(self.shared.target).await else {
            let _ = client.set_zero_linger();
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ended = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let upstream = pump(
                from_client,
                to_server,
                Direction::ToServer,
                &self.shared,
                self.faults.clone(),
            );
            let downstream = pump(
                from_server,
                to_client,
                Direction::ToClient,
                &self.shared,
                self.faults.clone(),
            );
            tokio::select! {
                both = async { tokio::try_join!(upstream, downstream) } => both.map(drop),
                _ = self.cut.changed() => Err(Reset),
            }
        };
        if ended.is_err() {
            // With a linger time of zero, close sends RST.
            let _ = (client.set_zero_linger(), server.set_zero_linger());
        }
    }
}

/// Carries one direction until its end, which is passed on.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    direction: Direction,
    shared: &Shared,
    mut faults: watch::Receiver<[Faults; 2]>,
) -> Result<(), Reset> {
    let mut buffer = vec![0; 16 * 1024];
    let mut carried = 0;
    loop {
        let count = from.read(&mut buffer).await.map_err(|_| Reset)?;
        if count == 0 {
            return to.shutdown().await.map_err(|_| Reset);
        }
        let mut rest = &buffer[..count];
        let latency = faults.borrow_and_update()[direction as usize].latency;
        tokio::time::sleep(latency).await;
        while !rest.is_empty() {
            let now = faults.borrow_and_update()[direction as usize];
            let allowed = now
                .reset_after
                .map_or(u64::MAX, |limit| limit.saturating_sub(carried));
            if allowed == 0 {
                return Err(Reset);
            }
            // A tenth of a second's worth at a time.
            let (piece, pause) = match now.bytes_per_second {
                Some(0) => {
                    // When nobody can lift the stall any more the proxy is being dropped.
                    faults.changed().await.map_err(|_| Reset)?;
                    continue;
                }
                Some(rate) => (rate.div_ceil(10), Duration::from_millis(100)),
                None => (u64::MAX, Duration::ZERO),
            };
            let size = rest
                .len()
                .min(usize::try_from(piece.min(allowed)).unwrap_or(usize::MAX));
            to.write_all(&rest[..size]).await.map_err(|_| Reset)?;
            rest = &rest[size..];
            carried += size as u64;
            shared.carried[direction as usize].fetch_add(size as u64, Ordering::SeqCst);
            tokio::time::sleep(pause).await;
        }
        if faults.borrow()[direction as usize]
            .reset_after
            .is_some_and(|limit| carried >= limit)
        {
            return Err(Reset);
        }
    }
}
