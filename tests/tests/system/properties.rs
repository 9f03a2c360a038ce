//! Any input at all.
