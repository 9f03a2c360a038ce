pub mod protocol;
pub mod signature;
