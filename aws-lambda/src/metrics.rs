//! Metrics in the embedded format of CloudWatch: log lines that CloudWatch reads as metrics.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::io::Write;

use serde_json::{Map, Value, json};
use wm_service::clock::now;

/// The namespace of the metrics in CloudWatch.
const NAMESPACE: &str = "WorkspaceManagement";

/// Name, unit and value of a metric.
pub(crate) type Metric = (&'static str, &'static str, f64);

/// Writes the metrics of one invocation. Each combination of dimensions is billed as separate
/// metrics. Properties are free and searchable in the log.
pub(crate) fn emit(dimensions: &[(&str, &str)], properties: &[(&str, &str)], metrics: &[Metric]) {
    let line = line(now().millis(), dimensions, properties, metrics);
    // A failed log write must not fail the request.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn line(
    timestamp: i64,
    dimensions: &[(&str, &str)],
    properties: &[(&str, &str)],
    metrics: &[Metric],
) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let described: Vec<Value> = metrics
        .iter()
        .map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }))
        .collect();
    let mut line = Map::new();
    line.insert(
        "_aws".into(),
        json!({
            "Timestamp": timestamp,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [names],
                "Metrics": described,
            }],
        }),
    );
    for (name, value) in dimensions.iter().chain(properties) {
        line.insert((*name).to_owned(), (*value).into());
    }
    for (name, _, value) in metrics {
        line.insert((*name).to_owned(), (*value).into());
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_line_names_its_metrics() {
        let line = line(
            5,
            &[("Function", "api")],
            &[("operation", "an_operation")],
            &[("Duration", "Milliseconds", 1.5)],
        );
        let metric = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metric["Dimensions"], json!([["Function"]]));
        assert_eq!(metric["Metrics"][0]["Name"], "Duration");
        assert_eq!(
            (&line["Duration"], &line["operation"]),
            (&json!(1.5), &json!("an_operation"))
        );
    }
}
