//! The surfaces on AWS and Azure over their emulators: what the conformance suite does not cover.

mod aws_costs;
mod aws_deployed;
mod aws_emulators;
mod aws_faults;
mod aws_front;
mod aws_records;
mod aws_tokens;
mod aws_uploads;
mod azure_costs;
mod azure_faults;
mod azure_front;
mod azure_records;
mod azure_services;
mod azure_tokens;
mod azure_uploads;
mod functions_host;
mod up;
