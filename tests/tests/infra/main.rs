//! Tests of the templates, and of the programs that set up and deploy.

mod aws_program;
mod aws_template;
mod azure_program;
mod azure_template;
mod findings;
mod program;
