mod contact;
pub use contact::{Contact, Relation};
