//! Each pattern on both sides of its threshold, at the edges of its window or deadline, over clock changes and holidays,
//! under one identifier and several, and after corrections and late reports.

mod repeat_missing;
mod shared_location;
