//! A traveler that tests start, ask, and kill: see `homeline_tests::traveler`.

fn main() -> std::io::Result<()> {
    homeline_tests::traveler::serve()
}
