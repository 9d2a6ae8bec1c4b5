//! Dead letters: events that a function could not process, and how they are sent again.

use wm_terminal::failure::Failure;

/// The dead letters of one function.
pub trait DeadLetters {
    /// What is shown for them: the queue or the function.
    fn name(&self) -> &str;

    /// How many there are.
    fn count(&self) -> usize;

    /// Sends the letters again and removes those that were accepted. A letter that was sent and not yet
    /// removed when this fails is sent again by the next run; functions process an event once. At most
    /// [`DeadLetters::count`] letters are sent, so that letters that fail again are not sent for ever.
    ///
    /// # Errors
    /// When a service does not answer. Letters that were not sent stay where they are.
    fn send_again(&self) -> impl Future<Output = Result<Outcome, Failure>>;
}

/// What became of the letters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How many were accepted and removed.
    pub sent: usize,
    /// How many are still there.
    pub left: usize,
}

/// Splits items into batches whose sizes add up to at most `largest`. An item above that is alone in its
/// batch.
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
