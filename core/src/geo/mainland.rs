//! Where maps use GCJ-02: the mainland of China.
//!
//! The outlines are OpenStreetMap's borders with twelve sea miles of water, thinned
//! by `generate/outlines.js` and used in place: nothing is built at a start. The
//! water is in, since a boat off Shanghai reads its position from the same map as
//! the harbour does. Hainan and the islands that OpenStreetMap draws with the
//! mainland are in; Hong Kong, Macau and Taiwan are not. `data/README.md` has the
//! licence and the accuracy.

/// Degrees in a unit of the files.
const UNIT: f64 = 5e-5;
/// Bytes of a block's header.
const HEADER: usize = 36;

static CHINA: Outline = Outline(include_bytes!("data/china.bin"));
static REGIONS: Outline = Outline(include_bytes!("data/regions.bin"));

/// Whether maps of this place use GCJ-02: the mainland and its coastal waters.
/// Degrees WGS-84; a number that is none is nowhere.
pub(super) fn is_mainland(latitude: f64, longitude: f64) -> bool {
    CHINA.contains(latitude, longitude) && !REGIONS.contains(latitude, longitude)
}

/// Whether the place is in Hong Kong, Macau or Taiwan, or in the waters of them.
pub(super) fn is_region(latitude: f64, longitude: f64) -> bool {
    REGIONS.contains(latitude, longitude)
}

/// Closed rings in a file of `generate/outlines.js`, which has the format.
struct Outline(&'static [u8]);

/// A chain of edges, and what is needed to pass over it without reading them.
struct Block {
    south: f64,
    west: f64,
    north: f64,
    east: f64,
    first: (i32, i32),
    last_latitude: f64,
    steps: usize,
    edges: usize,
}

impl Outline {
    /// Even and odd: a place is inside where a line from it to the east crosses
    /// the rings an odd number of times. A place on an edge is on one side of it,
    /// always the same one.
    fn contains(&self, latitude: f64, longitude: f64) -> bool {
        let (y, x) = (latitude / UNIT, longitude / UNIT);
        let Some((count, rest)) = self.0.split_first_chunk::<4>() else {
            return false;
        };
        let headers = usize::try_from(u32::from_le_bytes(*count)).unwrap_or(0) * HEADER;
        let Some((headers, body)) = rest.split_at_checked(headers) else {
            return false;
        };
        headers
            .as_chunks::<HEADER>()
            .0
            .iter()
            .filter(|header| is_level(header, y))
            .filter_map(Block::read)
            .filter(|block| block.is_crossed(body, y, x))
            .count()
            % 2
            == 1
    }
}

fn angle(word: &[u8; 4]) -> i32 {
    i32::from_le_bytes(*word)
}

/// Whether the block reaches over this latitude: most do not, and are not read.
fn is_level(header: &[u8; HEADER], y: f64) -> bool {
    let [south, _, north, ..] = header.as_chunks::<4>().0 else {
        return false;
    };
    f64::from(angle(south)) <= y && y <= f64::from(angle(north))
}

impl Block {
    fn read(header: &[u8; HEADER]) -> Option<Self> {
        let [south, west, north, east, first @ .., last, steps, edges] = header.as_chunks::<4>().0
        else {
            return None;
        };
        let [latitude, longitude] = first else {
            return None;
        };
        let size = |word: &[u8; 4]| usize::try_from(u32::from_le_bytes(*word)).ok();
        Some(Self {
            south: angle(south).into(),
            west: angle(west).into(),
            north: angle(north).into(),
            east: angle(east).into(),
            first: (angle(latitude), angle(longitude)),
            last_latitude: angle(last).into(),
            steps: size(steps)?,
            edges: size(edges)?,
        })
    }

    fn holds(&self, y: f64, x: f64) -> bool {
        (self.south..=self.north).contains(&y) && (self.west..=self.east).contains(&x)
    }

    /// Whether a line from the place to the east crosses the chain an odd number
    /// of times. Only a chain whose box holds the place is read.
    fn is_crossed(&self, body: &[u8], y: f64, x: f64) -> bool {
        if !self.holds(y, x) {
            // What is to the east of the place as a whole is crossed an odd number
            // of times where its two ends are on two sides of the line.
            let two_sides = (f64::from(self.first.0) > y) != (self.last_latitude > y);
            return two_sides && x < self.west;
        }
        let mut steps = body.get(self.steps..).unwrap_or_default().iter();
        let mut from = self.first;
        let mut odd = false;
        for _ in 0..self.edges {
            let (Some(up), Some(right)) = (varint(&mut steps), varint(&mut steps)) else {
                break;
            };
            let to = (from.0.wrapping_add(up), from.1.wrapping_add(right));
            odd ^= crosses(from, to, y, x);
            from = to;
        }
        odd
    }
}

/// Whether the edge crosses the line from the place to the east.
fn crosses(from: (i32, i32), to: (i32, i32), y: f64, x: f64) -> bool {
    let (y1, x1) = (f64::from(from.0), f64::from(from.1));
    let (y2, x2) = (f64::from(to.0), f64::from(to.1));
    (y1 > y) != (y2 > y) && x < x1 + (x2 - x1) * (y - y1) / (y2 - y1)
}

fn varint(bytes: &mut std::slice::Iter<'_, u8>) -> Option<i32> {
    let mut zigzag = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let byte = bytes.next()?;
        zigzag |= u32::from(byte & 127) << shift;
        if byte & 128 == 0 {
            break;
        }
    }
    Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
}

#[cfg(test)]
pub(super) mod tests;
