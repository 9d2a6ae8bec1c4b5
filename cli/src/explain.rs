//! The errors of the client, with the flags and commands that help.

use wm_client::{ApiError, Problem, TransferError, TransferErrorKind};

use crate::failure::Failure;

const NO_TOKEN: &str = "there is no token: get one with `wm token` and set it as `WM_TOKEN`";

/// A result of the client, with errors explained for the user of the command.
pub(crate) trait Explained<T> {
    /// The value, or the explained error.
    fn explained(self) -> Result<T, Failure>;
}

impl<T> Explained<T> for Result<T, ApiError> {
    fn explained(self) -> Result<T, Failure> {
        self.map_err(api)
    }
}

impl<T> Explained<T> for Result<T, TransferError> {
    fn explained(self) -> Result<T, Failure> {
        self.map_err(transfer)
    }
}

fn api(error: ApiError) -> Failure {
    match error {
        ApiError::Problem(problem) => Failure::new(refused(&problem)),
        ApiError::Unreachable { server, source } => Failure::because(
            format!(
                "`{server}` does not answer; start it with `wm serve`, or name another with `--server`"
            ),
            source,
        ),
        ApiError::Unexpected(source) => {
            Failure::because("the answer is not from this API; check `--server`", source)
        }
        ApiError::Token(source) => match source.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(source) => Failure::because(NO_TOKEN, source),
        },
        ApiError::Body(source) => Failure::because("the request is not valid JSON", source),
        ApiError::Start(source) => Failure::because("the HTTP client did not start", source),
    }
}

fn refused(problem: &Problem) -> String {
    let status = problem.status;
    let detail = if problem.kind.is_empty() {
        format!(
            "the server answered {status}, and the answer is not from this API; check `--server`"
        )
    } else {
        problem.detail.clone()
    };
    if status == 401 {
        format!("{detail}: get a token with `wm token` and set it as `WM_TOKEN`")
    } else {
        detail
    }
}

fn transfer(error: TransferError) -> Failure {
    let (kind, source) = error.into_parts();
    let message = match kind {
        TransferErrorKind::Api(error) => return api(error),
        TransferErrorKind::Exists(path) => format!(
            "`{}` exists already; choose another name with `--out`, or overwrite it with `--force`",
            path.display()
        ),
        TransferErrorKind::NoMethod => "the upload plan has no method; check `--server`".into(),
        TransferErrorKind::NoPlan => "the answer has no upload plan; check `--server`".into(),
        TransferErrorKind::StorageUnreachable => {
            "the storage does not answer; run the same command again to continue".into()
        }
        TransferErrorKind::Truncated => {
            "the storage closed the connection during the transfer; run the same command again to continue".into()
        }
        kind => kind.to_string(),
    };
    match source {
        Some(source) => Failure::because(message, source),
        None => Failure::new(message),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn problem(status: u16, kind: &str) -> ApiError {
        ApiError::Problem(Box::new(Problem {
            status,
            kind: kind.into(),
            detail: "what happened".into(),
            request_id: None,
            errors: Vec::new(),
            missing: Vec::new(),
            retry_after: None,
        }))
    }

    #[test]
    fn refusal_keeps_the_text_of_the_surface() {
        let text = api(problem(409, "conflict")).to_string();
        assert_eq!(text, "what happened");
    }

    #[test]
    fn refused_token_leads_to_wm_token() {
        let text = api(problem(401, "unauthenticated")).to_string();
        assert_eq!(
            text,
            "what happened: get a token with `wm token` and set it as `WM_TOKEN`"
        );
    }

    #[test]
    fn foreign_answer_leads_to_the_server_flag() {
        let text = api(problem(502, "")).to_string();
        assert_eq!(
            text,
            "the server answered 502, and the answer is not from this API; check `--server`"
        );
    }

    #[test]
    fn token_failure_keeps_its_own_text() {
        let failure: wm_client::TokenError = Box::new(Failure::new("no key"));
        assert_eq!(api(ApiError::Token(failure)).to_string(), "no key");
    }

    #[test]
    fn existing_file_leads_to_the_flags() {
        let error = TransferErrorKind::Exists(PathBuf::from("a.txt")).into();
        assert_eq!(
            transfer(error).to_string(),
            "`a.txt` exists already; choose another name with `--out`, or overwrite it with `--force`"
        );
    }

    #[test]
    fn interrupted_transfer_leads_to_the_same_command() {
        for kind in [
            TransferErrorKind::StorageUnreachable,
            TransferErrorKind::Truncated,
        ] {
            let text = transfer(kind.into()).to_string();
            assert!(
                text.ends_with("run the same command again to continue"),
                "{text}"
            );
        }
    }
}
