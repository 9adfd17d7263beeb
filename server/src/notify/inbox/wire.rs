//! The connection to a mailbox: plain on this machine, else over TLS, and never more bytes than one look may cost.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_imap::Client;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::InboxError;
use crate::config::{Imap, Security};

/// Bytes that are read in one look at most.
const MOST: usize = 64 * 1024 * 1024;

/// A connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    left: usize,
}

#[derive(Debug)]
enum Stream {
    Open(TcpStream),
    Safe(Box<TlsStream<TcpStream>>),
}

/// Connects, safely where the settings say so, and hears the server's greeting.
pub(super) async fn connect(
    settings: &Imap,
    trust: &[Vec<u8>],
) -> Result<Client<Wire>, InboxError> {
    let unreached = |error: io::Error| InboxError::Unreached(error.to_string());
    let server = settings.server.as_deref().unwrap_or_default();
    let port = settings.port.unwrap_or(match settings.tls {
        Security::Tls => 993,
        Security::Starttls | Security::None => 143,
    });
    let stream = TcpStream::connect((server, port)).await.map_err(unreached)?;
    match settings.tls {
        Security::None => greeted(Stream::Open(stream)).await,
        Security::Tls => greeted(safe(stream, server, trust).await?).await,
        Security::Starttls => {
            let mut client = greeted(Stream::Open(stream)).await?;
            client.run_command_and_check_ok("STARTTLS", None).await?;
            // What came in the clear behind the server's yes is dropped with the client.
            let Stream::Open(stream) = client.into_inner().stream else {
                return Err(InboxError::Said("TLS was begun twice".into()));
            };
            Ok(Client::new(Wire { stream: safe(stream, server, trust).await?, left: MOST }))
        }
    }
}

async fn greeted(stream: Stream) -> Result<Client<Wire>, InboxError> {
    let mut client = Client::new(Wire { stream, left: MOST });
    match client.read_response().await {
        Ok(Some(_)) => Ok(client),
        Ok(None) => Err(InboxError::Unreached("its server hung up".into())),
        Err(error) => Err(InboxError::Unreached(error.to_string())),
    }
}

async fn safe(stream: TcpStream, server: &str, trust: &[Vec<u8>]) -> Result<Stream, InboxError> {
    let unreached = |error: &dyn std::fmt::Display| InboxError::Unreached(error.to_string());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for pem in trust {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).flatten().collect();
        roots.add_parsable_certificates(certificates);
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(server.to_owned()).map_err(|error| unreached(&error))?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.map_err(|error| unreached(&error))?;
    Ok(Stream::Safe(Box::new(stream)))
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the server says more than is listened to")));
        }
        let before = buffer.filled().len();
        let polled = match &mut self.stream {
            Stream::Open(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Safe(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        self.left = self.left.saturating_sub(buffer.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Open(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Safe(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Open(stream) => Pin::new(stream).poll_flush(context),
            Stream::Safe(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Open(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Safe(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
