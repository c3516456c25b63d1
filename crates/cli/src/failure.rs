//! Why a command failed, and with which exit code.

use queqiao_domain::Bilingual;
use queqiao_engine::{Code, Error};
use std::fmt::Write;

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    message: Bilingual,
    bad_input: bool,
}

impl Failure {
    /// Something did not work: exit code 1.
    pub(crate) fn failed(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            message: Bilingual::new(en, zh),
            bad_input: false,
        }
    }

    /// What was given is wrong: exit code 2.
    pub(crate) fn input(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            message: Bilingual::new(en, zh),
            bad_input: true,
        }
    }

    pub(crate) fn message(&self) -> &Bilingual {
        &self.message
    }

    pub(crate) fn exit_code(&self) -> u8 {
        if self.bad_input { 2 } else { 1 }
    }
}

/// What failed, for people, with what the system, or another library, said of the cause: that is told as it was said.
pub(crate) fn with_causes(message: Bilingual, e: &dyn std::error::Error) -> Bilingual {
    match e.source() {
        None => message,
        Some(cause) => {
            let cause = chain(cause);
            Bilingual::new(
                format!("{}: {cause}", message.en),
                format!("{}：{cause}", message.zh),
            )
        }
    }
}

/// An error with its causes, each once.
pub(crate) fn chain(e: &dyn std::error::Error) -> String {
    let mut out = e.to_string();
    let mut cause = e.source();
    while let Some(c) = cause {
        let _ = write!(out, ": {c}");
        cause = c.source();
    }
    out
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        let bad_input = matches!(
            e.code(),
            Code::InvalidArgument | Code::NotFound | Code::AlreadyExists | Code::Aborted
        ) || matches!(e, Error::Plan(_));
        Self {
            message: match &e {
                // Their causes are the message.
                Error::Embed(_) | Error::Plan(_) | Error::Filter(_) => e.message(),
                _ => with_causes(e.message(), &e),
            },
            bad_input,
        }
    }
}

impl From<queqiao_engine::store::StoreError> for Failure {
    fn from(e: queqiao_engine::store::StoreError) -> Self {
        Error::from(e).into()
    }
}

impl From<queqiao_engine::embed::EmbedError> for Failure {
    fn from(e: queqiao_engine::embed::EmbedError) -> Self {
        Self {
            message: e.message(),
            bad_input: e.is_input(),
        }
    }
}

impl From<queqiao_server::ServerError> for Failure {
    fn from(e: queqiao_server::ServerError) -> Self {
        Self {
            message: e.message(),
            bad_input: false,
        }
    }
}

impl From<queqiao_server::AccessError> for Failure {
    fn from(e: queqiao_server::AccessError) -> Self {
        Self {
            message: e.message(),
            bad_input: e.is_input(),
        }
    }
}

impl From<queqiao_desk::DeskError> for Failure {
    fn from(e: queqiao_desk::DeskError) -> Self {
        Self {
            message: e.message(),
            bad_input: e.is_input(),
        }
    }
}

impl From<queqiao_intake::Error> for Failure {
    fn from(e: queqiao_intake::Error) -> Self {
        Self {
            message: e.message(),
            bad_input: e.cause.is_input(),
        }
    }
}

impl From<queqiao_eval::Error> for Failure {
    fn from(e: queqiao_eval::Error) -> Self {
        let told = e.message();
        Self {
            message: Bilingual::new(told.en, told.zh),
            bad_input: e.cause.is_input(),
        }
    }
}
