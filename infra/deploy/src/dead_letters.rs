//! Dead letters: events that a function could not process. They can be sent again.

use wm_terminal::failure::Failure;

/// The dead letters of one function.
pub trait DeadLetters {
    /// The name to show: the queue or the function.
    fn name(&self) -> &str;

    fn count(&self) -> usize;

    /// Sends the dead letters again and deletes those that were accepted. If this fails between
    /// sending and deleting one, the next run sends it again; functions process an event once. At
    /// most [`DeadLetters::count`] are sent, so that those that fail again are not sent without end.
    ///
    /// # Errors
    /// If a service does not answer. Dead letters that were not sent stay stored.
    fn send_again(&self) -> impl Future<Output = Result<Outcome, Failure>>;
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The number of dead letters that were accepted and deleted.
    pub sent: usize,
    /// The number of dead letters that remain.
    pub left: usize,
}

/// Splits items into batches of at most `largest` in total. A larger item gets a batch of its own.
pub fn batches<T>(items: &[T], largest: usize, size: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut batches = Vec::new();
    let (mut start, mut total) = (0, 0);
    for (end, next) in items.iter().enumerate() {
        let size = size(next);
        total += size;
        if total > largest && end > start {
            batches.extend(items.get(start..end));
            (start, total) = (end, size);
        }
    }
    batches.extend(items.get(start..).filter(|rest| !rest.is_empty()));
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_no_larger_than_the_limit() {
        let sizes = |items: &[usize]| -> Vec<usize> {
            let batches = batches(items, 250, |item| *item);
            batches.into_iter().map(<[usize]>::len).collect()
        };
        assert_eq!(sizes(&[100, 100, 100, 300, 1]), [2, 1, 1, 1]);
        assert_eq!(sizes(&[]), [0; 0]);
    }
}
