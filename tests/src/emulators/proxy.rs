//! A proxy in front of an emulator that makes selected calls fail.
//!
//! It produces what no emulator does: throttling, conflicts, and answers that are lost, late or
//! partial.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// The treatment of a call.
#[derive(Clone)]
pub enum Fault {
    /// Lets one call pass, so that the next fault hits a later call.
    Pass,
    /// Delays the call.
    Delay(Duration),
    /// Processes the call and closes the connection before the answer.
    LoseAnswer,
    /// Closes the connection without processing the call.
    Drop,
    /// Answers this without processing the call.
    Refuse(u16, Value),
    /// Forwards the call after [`Proxy::release`].
    HoldBefore,
    /// Forwards the call at once. Its answer arrives after [`Proxy::release`].
    HoldAfter,
    /// Builds the answer from the request without processing the call.
    Reply(fn(&Value) -> (u16, Value)),
    /// Forwards a changed body and changes its answer: the call is processed in part.
    Alter(Change, Change),
}

/// A change of a JSON body.
pub type Change = Arc<dyn Fn(&mut Value) + Send + Sync>;

impl fmt::Debug for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("fault")
    }
}

/// An error in the format of a JSON protocol.
#[must_use]
pub fn refusal(status: u16, kind: &str, message: &str) -> Fault {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
    Fault::Refuse(status, json!({ "__type": kind, "message": message }))
}

/// A transaction that is cancelled for this reason at its first item.
#[must_use]
pub fn cancelled(reason: &str) -> Fault {
    Fault::Reply(match reason {
        "TransactionConflict" => |asked| cancellation(asked, "TransactionConflict"),
        "ThrottlingError" => |asked| cancellation(asked, "ThrottlingError"),
        "ProvisionedThroughputExceeded" => {
            |asked| cancellation(asked, "ProvisionedThroughputExceeded")
        }
        "ValidationError" => |asked| cancellation(asked, "ValidationError"),
        other => panic!("no such reason is known: `{other}`"),
    })
}

fn cancellation(asked: &Value, reason: &str) -> (u16, Value) {
    let items = asked["TransactItems"].as_array().map_or(1, Vec::len);
    let mut reasons = vec![json!({ "Code": "None" }); items];
    reasons[0] = json!({ "Code": reason, "Message": "injected" });
    let codes: Vec<&str> = reasons
        .iter()
        .map(|reason| reason["Code"].as_str().unwrap())
        .collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    (
        400,
        json!({ "__type": kind, "Message": message, "CancellationReasons": reasons }),
    )
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    pub url: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// The authority of the target.
    target: String,
    faults: Mutex<Vec<Rule>>,
    calls: Mutex<BTreeMap<String, usize>>,
    occurred: watch::Sender<usize>,
    /// The number of releases of held calls.
    released: watch::Sender<usize>,
}

#[derive(Debug)]
struct Rule {
    operation: String,
    fault: Fault,
    /// The number of calls that the fault still hits.
    left: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Starts a proxy in front of this URL.
    pub async fn start(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::new(State {
                target: url.strip_prefix("http://").unwrap().to_owned(),
                faults: Mutex::default(),
                calls: Mutex::default(),
                occurred: watch::Sender::new(0),
                released: watch::Sender::new(0),
            }),
        };
        tokio::spawn(serve(listener, Arc::clone(&proxy.state)));
        proxy
    }

    /// Makes the next call of this operation fail. Several faults apply in order.
    pub fn inject(&self, operation: &str, fault: Fault) {
        self.inject_many(operation, fault, 1);
    }

    /// Makes this number of calls of this operation fail.
    pub fn inject_many(&self, operation: &str, fault: Fault, times: usize) {
        lock(&self.state.faults).push(Rule {
            operation: operation.into(),
            fault,
            left: times,
        });
    }

    /// Removes all pending faults and returns their number.
    pub fn clear_faults(&self) -> usize {
        let rules = std::mem::take(&mut *lock(&self.state.faults));
        rules.iter().map(|rule| rule.left).sum()
    }

    /// The number of calls of this operation since the last call of this method.
    pub fn take_calls(&self, operation: &str) -> usize {
        lock(&self.state.calls)
            .remove(operation)
            .unwrap_or_default()
    }

    /// The number of faults that have occurred, for [`Proxy::wait_for_fault`].
    #[must_use]
    pub fn fault_count(&self) -> usize {
        *self.state.occurred.borrow()
    }

    /// Waits until more faults than `before` have occurred.
    pub async fn wait_for_fault(&self, before: usize) {
        let mut occurred = self.state.occurred.subscribe();
        occurred.wait_for(|count| *count > before).await.unwrap();
    }

    /// Releases all held calls.
    pub fn release(&self) {
        self.state.released.send_modify(|count| *count += 1);
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { state.answer(request).await }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

type Answer = Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>>;

impl State {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let request = Request::from_parts(parts, body);
        let operation = operation(&request);
        *lock(&self.calls).entry(operation.clone()).or_default() += 1;
        let mut released = self.released.subscribe();
        let fault = self.fault(&operation);
        if !matches!(fault, Fault::Pass) {
            self.occurred.send_modify(|count| *count += 1);
        }
        match fault {
            Fault::Pass => self.pass(request).await,
            Fault::Delay(duration) => {
                tokio::time::sleep(duration).await;
                self.pass(request).await
            }
            Fault::LoseAnswer => {
                self.pass(request).await?;
                Err("the answer is lost".into())
            }
            Fault::Drop => Err("the call is lost".into()),
            Fault::Refuse(status, body) => Ok(json_response(status, &body)),
            Fault::HoldBefore => {
                released.changed().await?;
                self.pass(request).await
            }
            Fault::HoldAfter => {
                let answer = self.pass(request).await;
                released.changed().await?;
                answer
            }
            Fault::Reply(reply) => {
                let asked = serde_json::from_slice(request.body())?;
                let (status, body) = reply(&asked);
                Ok(json_response(status, &body))
            }
            Fault::Alter(alter, answer) => {
                let (parts, body) = request.into_parts();
                let mut asked = serde_json::from_slice(&body)?;
                alter(&mut asked);
                let body = Bytes::from(asked.to_string());
                let response = self.pass(Request::from_parts(parts, body)).await?;
                let status = response.status().as_u16();
                let body = response.into_body().collect().await?.to_bytes();
                let mut answered = serde_json::from_slice(&body)?;
                answer(&mut answered);
                Ok(json_response(status, &answered))
            }
        }
    }

    fn fault(&self, operation: &str) -> Fault {
        let mut faults = lock(&self.faults);
        let Some(place) = faults.iter().position(|rule| rule.operation == operation) else {
            return Fault::Pass;
        };
        let fault = faults[place].fault.clone();
        faults[place].left -= 1;
        if faults[place].left == 0 {
            faults.remove(place);
        }
        fault
    }

    /// Forwards a call over a new connection.
    async fn pass(&self, mut request: Request<Bytes>) -> Answer {
        let length = request.body().len();
        request.headers_mut().remove("transfer-encoding");
        request
            .headers_mut()
            .insert("content-length", length.into());
        let stream = TokioIo::new(TcpStream::connect(&self.target).await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request.map(Full::new)).await?;
        let (mut parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        parts.headers.remove("transfer-encoding");
        parts.headers.remove("connection");
        Ok(Response::from_parts(parts, Full::new(body)))
    }
}

/// The operation of a JSON protocol, such as `PutItem`. A query of an index includes its name, such
/// as `Query GSI1`. For other protocols: the method and the first segment of the path.
fn operation(request: &Request<Bytes>) -> String {
    let target = request.headers().get("x-amz-target");
    match target.and_then(|target| target.to_str().ok()) {
        Some(target) => {
            let operation = target.rsplit('.').next().unwrap_or(target);
            let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            match asked["IndexName"].as_str() {
                Some(index) => format!("{operation} {index}"),
                None => operation.to_owned(),
            }
        }
        None => {
            let path = request.uri().path();
            let first = path.trim_start_matches('/').split('/').next();
            format!("{} {}", request.method(), first.unwrap_or_default())
        }
    }
}

fn json_response(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let body = body.to_string();
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amzn-requestid", "injected")
        .body(Full::from(body))
        .unwrap()
}
