//! Plans: the current state, the wanted state, and the steps between them.

use std::fmt;

use wm_terminal::failure::Failure;

/// The text for a switch that is off.
pub const OFF: &str = "off";

/// The text for a switch.
#[must_use]
pub fn switched(is_on: bool) -> String {
    if is_on { "on" } else { OFF }.to_owned()
}

/// The plan for one resource.
#[derive(Debug, Clone)]
pub struct Resource<S> {
    /// The resource as text.
    pub title: String,
    /// All compared settings.
    pub lines: Vec<Line>,
    /// The steps, in order. Each step leaves the resource in a state that the next run can
    /// describe.
    pub steps: Vec<S>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name of the setting.
    pub setting: String,
    /// The planned change.
    pub verdict: Verdict,
}

/// The planned change of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The setting is missing and will be created with this value.
    Create(String),
    /// The setting has the first value and gets the second.
    Change(String, String),
    Unchanged(String),
    /// The setting belongs to others and stays.
    Kept(String),
}

impl<S> Resource<S> {
    /// A plan without settings.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            lines: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Compares a setting with its wanted value. If they differ, the step is added.
    pub fn compare(
        &mut self,
        setting: &str,
        found: Option<String>,
        wanted: impl Into<String>,
        step: impl Into<Option<S>>,
    ) {
        let wanted = wanted.into();
        let verdict = match found {
            Some(found) if found == wanted => Verdict::Unchanged(wanted),
            Some(found) => Verdict::Change(found, wanted),
            None => Verdict::Create(wanted),
        };
        if !matches!(verdict, Verdict::Unchanged(_)) {
            self.steps.extend(step.into());
        }
        self.note(setting, verdict);
    }

    /// The same plan with steps of another type.
    #[must_use]
    pub fn map<T>(self, step: impl Fn(S) -> T) -> Resource<T> {
        Resource {
            title: self.title,
            lines: self.lines,
            steps: self.steps.into_iter().map(step).collect(),
        }
    }

    /// Adds a setting that needs no step.
    pub fn note(&mut self, setting: &str, verdict: Verdict) {
        let setting = setting.to_owned();
        self.lines.push(Line { setting, verdict });
    }

    /// The numbers of created and changed settings.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let count = |matching: fn(&Verdict) -> bool| {
            let verdicts = self.lines.iter().map(|line| &line.verdict);
            verdicts.filter(|verdict| matching(verdict)).count()
        };
        (
            count(|verdict| matches!(verdict, Verdict::Create(_))),
            count(|verdict| matches!(verdict, Verdict::Change(..))),
        )
    }
}

/// The plan for several resources.
#[derive(Debug, Clone)]
pub struct Plan<S> {
    /// The resources, in the order of their steps.
    pub resources: Vec<Resource<S>>,
}

impl<S> Plan<S> {
    /// Combines the plans of resources.
    ///
    /// # Errors
    /// All reasons why one of them is impossible, in one line.
    pub fn of(
        plans: impl IntoIterator<Item = Result<Resource<S>, Vec<String>>>,
    ) -> Result<Self, Failure> {
        let (mut resources, mut reasons) = (Vec::new(), Vec::new());
        for plan in plans {
            match plan {
                Ok(resource) => resources.push(resource),
                Err(wrong) => reasons.extend(wrong),
            }
        }
        if reasons.is_empty() {
            return Ok(Self { resources });
        }
        Err(Failure::new(reasons.join("; ")))
    }

    /// The numbers of created and changed settings.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let counts = self.resources.iter().map(Resource::count);
        counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1))
    }

    /// All steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &S> {
        self.resources.iter().flat_map(|resource| &resource.steps)
    }
}

impl<S> fmt::Display for Resource<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.title)?;
        let lengths = self.lines.iter().map(|line| line.setting.len());
        let width = lengths.max().unwrap_or_default();
        for Line { setting, verdict } in &self.lines {
            let (word, text) = match verdict {
                Verdict::Create(text) => ("create", text.clone()),
                Verdict::Change(from, to) => ("change", format!("{from} \u{2192} {to}")),
                Verdict::Unchanged(text) => ("unchanged", text.clone()),
                Verdict::Kept(text) => ("kept", text.clone()),
            };
            write!(formatter, "\n  {word:9}  {setting:width$}  {text}")?;
        }
        Ok(())
    }
}
