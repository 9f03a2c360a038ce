//! What is seen from a place: the countries that it is in, and the lines around it.

use super::super::Wgs84;
use super::boundaries::{Boundaries, CLASSES, COLUMNS, Square};
use super::cell::{Cell, Chain, Spot, UNITS};

/// Countries that one place may have; a file with more of them is wrong.
const MOST: usize = 8;

/// What is seen from a place.
pub(super) struct Sight {
    /// The countries that it is in.
    pub(super) here: Claims,
    /// The countries of lines that may be on the other side of it, with the metres.
    pub(super) near: Neighbours,
    /// Metres to the nearest line of all; infinite where none is in sight.
    pub(super) nearest_m: f64,
    /// The least, over the lines, of the distance by how far it and the place may be
    /// off: from 1 on there is no doubt.
    pub(super) doubt: f64,
}

/// Countries, each once.
#[derive(Default)]
pub(super) struct Claims {
    numbers: [u8; MOST],
    count: usize,
}

/// Countries with the distance to each.
#[derive(Default)]
pub(super) struct Neighbours {
    list: [(u8, f64); MOST],
    count: usize,
}

/// A place, and how far it looks.
struct Place {
    /// From the south pole and the antimeridian, degrees: 0 to 180, and to below 360.
    north: f64,
    east: f64,
    row: i32,
    column: i32,
    /// Metres in an angle, east and north.
    scale: (f64, f64),
    look_m: f64,
    /// How far it and a line of each class may be off, together.
    off_m: [f64; CLASSES],
}

impl Sight {
    /// Looks around: `look_m` metres far, or as far as the place may be off.
    pub(super) fn of(from: &Boundaries, point: Wgs84, accuracy_m: f64, look_m: f64) -> Self {
        let place = Place::new(from, point, accuracy_m, look_m);
        let mut sight = Self {
            here: Claims::default(),
            near: Neighbours::default(),
            nearest_m: f64::INFINITY,
            doubt: f64::INFINITY,
        };
        sight.stand(from, &place);
        for (row, column) in place.around() {
            let square = from.square(row, wrapped(column));
            if let Some(cell) = square.and_then(|square| from.lines(square)) {
                sight.look(from, &cell, &place, &place.spot(row, column));
            }
        }
        sight
    }

    /// The countries of the place itself.
    fn stand(&mut self, from: &Boundaries, place: &Place) {
        let row = usize::try_from(place.row).unwrap_or(0);
        match from.square(row, wrapped(place.column)) {
            Some(Square::Plain(set)) => self.here.toggle(from.set(set)),
            Some(Square::Mixed(number)) => {
                let Some(cell) = from.cell(number) else {
                    return;
                };
                let spot = place.spot(row, place.column);
                self.here.toggle(from.set(cell.corner));
                for chain in cell.chains().filter(|chain| chain.is_crossed(&spot)) {
                    self.here.toggle(from.set(chain.set));
                }
            }
            None => {}
        }
    }

    /// The lines of a square: those that may be the nearest, or too near.
    fn look(&mut self, from: &Boundaries, cell: &Cell<'_>, place: &Place, spot: &Spot) {
        for chain in cell.chains() {
            let off_m = place.off_m.get(chain.class).copied().unwrap_or(0.0);
            let far = self.nearest_m.min(place.look_m).max(off_m);
            if chain.box_m2(spot) <= far * far {
                self.note(from, &chain, chain.distance_m2(spot).sqrt(), off_m);
            }
        }
    }

    fn note(&mut self, from: &Boundaries, chain: &Chain<'_>, metres: f64, off_m: f64) {
        self.nearest_m = self.nearest_m.min(metres);
        if metres <= off_m {
            self.doubt = self.doubt.min(metres / off_m);
            for number in from.set(chain.set) {
                if !self.here.contains(number) {
                    self.near.add(number, metres);
                }
            }
        }
    }
}

impl Boundaries {
    fn lines(&self, square: Square) -> Option<Cell<'_>> {
        match square {
            Square::Plain(_) => None,
            Square::Mixed(number) => self.cell(number),
        }
    }
}

impl Place {
    fn new(from: &Boundaries, point: Wgs84, accuracy_m: f64, look_m: f64) -> Self {
        let (north, east) = (point.latitude() + 90.0, point.longitude() + 180.0);
        let east = if east >= 360.0 { 0.0 } else { east };
        let off_m: [f64; CLASSES] = std::array::from_fn(|class| from.error_m(class) + accuracy_m);
        Self {
            north,
            east,
            row: whole(north).min(179),
            column: whole(east),
            scale: metres_in_an_angle(point.latitude()),
            look_m: off_m.iter().copied().fold(look_m, f64::max),
            off_m,
        }
    }

    /// The square degrees in sight, the one of the place first. Near a pole that is
    /// the whole row.
    fn around(&self) -> impl Iterator<Item = (usize, i32)> {
        let rows = self.reach(self.north, self.scale.1, 180.0);
        let columns = self.reach(self.east, self.scale.0, 179.0);
        let (row, column) = (self.row, self.column);
        let others = (rows.0.max(0)..=rows.1.min(179))
            .flat_map(move |row| (columns.0..=columns.1).map(move |column| (row, column)))
            .filter(move |square| *square != (row, column));
        std::iter::once((row, column))
            .chain(others)
            .filter_map(|(row, column)| Some((usize::try_from(row).ok()?, column)))
    }

    /// The first and the last degree that are in sight.
    fn reach(&self, at: f64, scale: f64, most: f64) -> (i32, i32) {
        let degrees = (self.look_m / (scale * UNITS)).min(most);
        (whole(at - degrees), whole(at + degrees))
    }

    /// The place as seen from a square's corner.
    fn spot(&self, row: usize, column: i32) -> Spot {
        let row = i32::try_from(row).unwrap_or(0);
        Spot {
            x: exact((self.east - f64::from(column)) * UNITS),
            y: exact((self.north - f64::from(row)) * UNITS),
            scale: self.scale,
        }
    }
}

/// To 1/65536 of an angle, 0.1 mm: so that products of the path's tests are exact and
/// the two agree.
fn exact(angles: f64) -> f64 {
    (angles * 65_536.0).floor() / 65_536.0
}

/// Metres in an angle of the file, east and north, on the WGS-84 ellipsoid: the series
/// of the American Practical Navigator (Bowditch), table 7.
fn metres_in_an_angle(latitude: f64) -> (f64, f64) {
    let cos = latitude.to_radians().cos().max(0.0);
    let twice = 2.0 * cos * cos - 1.0;
    let thrice = cos * (4.0 * cos * cos - 3.0);
    let east = 111_412.84 * cos - 93.5 * thrice;
    let north = 111_132.92 - 559.82 * twice + 1.175 * (2.0 * twice * twice - 1.0);
    (east.max(0.01) / UNITS, north / UNITS)
}

fn wrapped(column: i32) -> u16 {
    u16::try_from(column.rem_euclid(COLUMNS)).unwrap_or(0)
}

/// Degrees below a circle as a whole number, rounded down.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "within a few hundred; a cast of a float saturates"
)]
fn whole(degrees: f64) -> i32 {
    degrees.floor() as i32
}

impl Claims {
    /// Adds the countries that are not there, and takes those that are.
    fn toggle(&mut self, set: [u8; 4]) {
        for number in set.into_iter().filter(|number| *number != 0) {
            let at = self.iter().position(|one| one == number);
            match at {
                Some(at) => {
                    self.count -= 1;
                    self.numbers.swap(at, self.count);
                }
                None => {
                    if let Some(free) = self.numbers.get_mut(self.count) {
                        *free = number;
                        self.count += 1;
                    }
                }
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u8> {
        self.numbers.iter().copied().take(self.count)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn contains(&self, number: u8) -> bool {
        self.iter().any(|one| one == number)
    }
}

impl Neighbours {
    /// A country at a distance, or nearer than before. Beyond the room of the list
    /// the first that were found stay.
    fn add(&mut self, number: u8, metres: f64) {
        if number == 0 {
            return;
        }
        let known = self.list.iter_mut().take(self.count);
        if let Some(one) = known.into_iter().find(|one| one.0 == number) {
            one.1 = one.1.min(metres);
        } else if let Some(free) = self.list.get_mut(self.count) {
            *free = (number, metres);
            self.count += 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, f64)> {
        self.list.iter().copied().take(self.count)
    }
}
