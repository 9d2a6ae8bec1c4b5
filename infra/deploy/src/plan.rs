//! What there is, what it has to be, and the steps from the one to the other.

use std::fmt;

use wm_terminal::failure::Failure;

/// How a switch that is off is shown.
pub const OFF: &str = "off";

/// How a switch is shown.
#[must_use]
pub fn switched(is_on: bool) -> String {
    if is_on { "on" } else { OFF }.to_owned()
}

/// What becomes of one resource.
#[derive(Debug, Clone)]
pub struct Resource<S> {
    /// Which one it is, for people.
    pub title: String,
    /// Every setting that was looked at.
    pub lines: Vec<Line>,
    /// What has to be done, in this order. Each step leaves the resource in a state that the next
    /// description understands.
    pub steps: Vec<S>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is called.
    pub setting: String,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What becomes of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is not there and will be.
    Create(String),
    /// It is this and becomes that.
    Change(String, String),
    Unchanged(String),
    /// It is somebody else's and stays.
    Kept(String),
}

impl<S> Resource<S> {
    /// One of which nothing is known yet.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            lines: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Compares a setting with what it has to be; where they differ, the step is needed.
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

    /// The same with steps of another type.
    #[must_use]
    pub fn map<T>(self, step: impl Fn(S) -> T) -> Resource<T> {
        Resource {
            title: self.title,
            lines: self.lines,
            steps: self.steps.into_iter().map(step).collect(),
        }
    }

    /// Notes a setting that needs no step of its own.
    pub fn note(&mut self, setting: &str, verdict: Verdict) {
        let setting = setting.to_owned();
        self.lines.push(Line { setting, verdict });
    }

    /// How many settings are created and how many changed.
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

/// What becomes of several resources.
#[derive(Debug, Clone)]
pub struct Plan<S> {
    /// The resources, in the order in which their steps are carried out.
    pub resources: Vec<Resource<S>>,
}

impl<S> Plan<S> {
    /// Puts the plans of resources together.
    ///
    /// # Errors
    /// Every reason why one of them is impossible, in one line.
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

    /// How many settings are created and how many changed.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let counts = self.resources.iter().map(Resource::count);
        counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1))
    }

    /// Every step, in the order in which they are carried out.
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
