//! Schedules by the thousand, and what shows that they would find something.

mod mutants;
mod schedules;
