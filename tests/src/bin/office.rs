//! A ministry that tests start and kill: see `homeline_tests::office`.

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let missing = || std::io::Error::other("usage: office DATA ADDR:PORT");
    let data = arguments.next().ok_or_else(missing)?;
    let listen = arguments.next().ok_or_else(missing)?;
    let listen = listen.parse().map_err(std::io::Error::other)?;
    homeline_tests::office::serve(data.as_ref(), listen)
}
