//! Encryption of the connection, and whose certificate is good enough.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::options::{InvalidOptions, PostgresTls, PostgresTlsMode};

/// Makes what encrypts connections where the server agrees to it.
pub(super) fn connector(tls: Option<&PostgresTls>) -> Result<MakeRustlsConnect, InvalidOptions> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("the provider has the ciphers of both versions");
    let builder = match tls {
        Some(tls) if tls.mode == PostgresTlsMode::VerifyFull => {
            builder.with_root_certificates(trusted(tls.ca_file.as_deref())?)
        }
        // As with the server's own programs: encrypted, and with whom is not asked.
        _ => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider))),
    };
    let config = match tls.and_then(|tls| tls.client_certificate_file.as_deref()) {
        Some(path) => {
            let unusable = |err| InvalidOptions::Certificate(path.to_owned(), err);
            let key = PrivateKeyDer::from_pem_file(path).map_err(|err| InvalidOptions::Pem(path.to_owned(), err))?;
            builder.with_client_auth_cert(certificates(path)?, key).map_err(unusable)?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn trusted(ca_file: Option<&Path>) -> Result<RootCertStore, InvalidOptions> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|err| InvalidOptions::Certificate(path.to_owned(), err))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, InvalidOptions> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    read.map_err(|err| InvalidOptions::Pem(path.to_owned(), err))
}

/// Takes the certificate of whoever answers, as long as it is theirs.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
