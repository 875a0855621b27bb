//! Servers that misbehave in ways no real one can be made to.

use std::net::TcpListener;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Takes connections and never says a word. Its port.
pub(crate) struct Silent(TcpListener);

impl Silent {
    pub(crate) fn start() -> Self {
        // The kernel accepts for it.
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}

/// Reads the first message of each connection, answers with `answer`, and closes when the client does.
pub(crate) async fn answering(answer: Vec<u8>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                let _ = client.read(&mut buffer).await;
                let _ = client.write_all(&answer).await;
                let _ = client.shutdown().await;
                while client.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
            });
        }
    });
    port
}

/// `ErrorResponse` (PostgreSQL manual, 55.7).
pub(crate) fn fatal(sqlstate: &str, message: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{sqlstate}\0M{message}\0\0");
    let mut packet = vec![b'E'];
    packet.extend(u32::try_from(fields.len() + 4).unwrap().to_be_bytes());
    packet.extend(fields.as_bytes());
    packet
}
