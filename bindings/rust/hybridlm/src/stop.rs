//! Stop strings in a stream of text: text that may be the beginning of one is held back until it is certain. The first
//! to be complete counts and, of those complete at the same byte, the longest; as in [`crate::Context::generate`].
use crate::error::{Error, Result, Status};

pub(crate) struct Stop<'a> {
    strings: &'a [&'a str],
    held: String,
    pub(crate) found: bool,
}

impl<'a> Stop<'a> {
    pub(crate) fn new(strings: &'a [&'a str]) -> Result<Stop<'a>> {
        match strings.iter().position(|s| s.is_empty()) {
            Some(i) => Err(Error::new(Status::Arg, format!("stop[{i}] is an empty string"))),
            None => Ok(Stop { strings, held: String::new(), found: false }),
        }
    }

    /// The text that became certain with `text`. Nothing once a stop string was found.
    pub(crate) fn feed(&mut self, text: &str) -> String {
        if self.found {
            return String::new();
        }
        if self.strings.is_empty() {
            return text.to_owned();
        }
        self.held.push_str(text);
        if let Some(begin) = self.first() {
            self.found = true;
            self.held.truncate(begin);
            return std::mem::take(&mut self.held);
        }
        let keep = self.held.split_off(self.held.len() - self.open());
        std::mem::replace(&mut self.held, keep)
    }

    /// The last text: nothing is held back any more.
    pub(crate) fn close(&mut self, text: &str) -> String {
        let mut out = self.feed(text);
        out.push_str(&self.held);
        self.held.clear();
        out
    }

    /// Where the text ends, if a stop string is complete.
    fn first(&self) -> Option<usize> {
        let ends = self.strings.iter().filter_map(|s| self.held.find(s).map(|begin| (begin + s.len(), begin)));
        ends.min().map(|(_, begin)| begin)
    }

    /// Bytes at the end of what is held that may become a stop string.
    fn open(&self) -> usize {
        let held = self.held.as_bytes();
        let longest_border = |s: &&str| (1..s.len()).rev().find(|&n| held.ends_with(&s.as_bytes()[..n])).unwrap_or(0);
        self.strings.iter().map(longest_border).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Stop;

    /// The text that comes out, however `text` is cut.
    fn run(strings: &[&str], text: &str) -> String {
        let mut results = Vec::new();
        for width in 1..=text.chars().count() {
            let chars: Vec<char> = text.chars().collect();
            let mut stop = Stop::new(strings).unwrap();
            let mut out: String = chars.chunks(width).map(|c| stop.feed(&c.iter().collect::<String>())).collect();
            out.push_str(&stop.close(""));
            results.push(out);
        }
        assert!(results.iter().all(|r| r == &results[0]), "{results:?}");
        results.swap_remove(0)
    }

    #[test]
    fn the_cut_does_not_matter() {
        assert_eq!(run(&["abc"], "xxababcyy"), "xxab");
        assert_eq!(run(&["aab"], "aaaab"), "aa");
        assert_eq!(run(&["ü\n"], "füü\nrest"), "fü");
        assert_eq!(run(&["never"], "nevenevene"), "nevenevene");
        assert_eq!(run(&["bc", "abcd"], "abcd"), "a");
        assert_eq!(run(&["c", "abc"], "xabc"), "x");
    }

    #[test]
    fn an_empty_string_is_refused() {
        assert!(Stop::new(&["a", ""]).is_err());
    }
}
