//! What is seen from a place: the countries that it is in, and the lines around it.

use super::super::Wgs84;
use super::boundaries::{Boundaries, CLASSES, COLUMNS, Square};
use super::cell::{Cell, Chain, Spot, UNITS, whole};

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

/// Countries, each once, in the order of their numbers: that of their codes.
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
    /// The most of the next.
    most_off_m: f64,
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
        // Other squares only as far as what is not known yet.
        let look_m = more(place.most_off_m, less(sight.nearest_m, place.look_m));
        let (south, north) = place.reach(place.north, place.scale.1, 180.0, look_m);
        let (west, east) = place.reach(place.east, place.scale.0, 179.0, look_m);
        for row in south.max(0)..=north.min(179) {
            for column in west..=east {
                if (row, column) != (place.row, place.column) {
                    sight.look_at(from, &place, row, column);
                }
            }
        }
        sight
    }

    /// The countries of the place itself, and the lines of its square.
    fn stand(&mut self, from: &Boundaries, place: &Place) {
        match from.square(place.row, wrapped(place.column)) {
            Some(Square::Plain(set)) => self.here.toggle(from.set(set)),
            Some(Square::Mixed(number)) => {
                if let Some(cell) = from.cell(number) {
                    let spot = place.spot(place.row, place.column).exact();
                    let far_m = self.stand_in(from, &cell, place.look_m, &spot);
                    self.look(from, &cell, place, &spot, far_m);
                }
            }
            None => {}
        }
    }

    /// The countries of a place among lines. Returns how far the nearest line is at
    /// most: by the first points of chains, which cost little to look at.
    fn stand_in(&mut self, from: &Boundaries, cell: &Cell<'_>, far_m: f64, spot: &Spot) -> f64 {
        let path = spot.path();
        let mut least = far_m * far_m;
        self.here.toggle(from.set(cell.corner));
        for chain in cell.chains() {
            if chain.is_crossed(&path) {
                self.here.toggle(from.set(chain.set()));
            }
            let m2 = chain.first_m2(spot);
            if m2 < least {
                least = m2;
            }
        }
        // And a hair, so that the point itself is still seen.
        least.sqrt() + 0.001
    }

    /// The lines of another square.
    fn look_at(&mut self, from: &Boundaries, place: &Place, row: i32, column: i32) {
        if let Some(Square::Mixed(number)) = from.square(row, wrapped(column))
            && let Some(cell) = from.cell(number)
        {
            let far_m = less(self.nearest_m, place.look_m);
            self.look(from, &cell, place, &place.spot(row, column), far_m);
        }
    }

    /// The lines of a square: those that are nearer than `far_m` and all before, and
    /// those that are too near to be sure.
    fn look(&mut self, from: &Boundaries, cell: &Cell<'_>, place: &Place, spot: &Spot, far_m: f64) {
        let mut far_m = far_m;
        let mut window = spot.window(far_m);
        let mut seen = spot.window(more(far_m, place.most_off_m));
        for chain in cell.chains() {
            if !chain.is_in(&seen) {
                continue;
            }
            let off_m = place.off_m.get(chain.class()).copied().unwrap_or(0.0);
            let most_m = more(off_m, far_m);
            let m2 = if off_m > far_m {
                chain.distance_m2(spot, &spot.window(off_m), most_m * most_m)
            } else if chain.is_in(&window) {
                chain.distance_m2(spot, &window, most_m * most_m)
            } else {
                continue;
            };
            if m2 < most_m * most_m {
                let metres = m2.sqrt();
                self.note(from, &chain, metres, off_m);
                if metres < far_m {
                    far_m = metres;
                    window = spot.window(far_m);
                    seen = spot.window(more(far_m, place.most_off_m));
                }
            }
        }
    }

    fn note(&mut self, from: &Boundaries, chain: &Chain<'_>, metres: f64, off_m: f64) {
        if metres < self.nearest_m {
            self.nearest_m = metres;
        }
        if metres > off_m {
            return;
        }
        if metres < self.doubt * off_m {
            self.doubt = metres / off_m;
        }
        for number in from.set(chain.set()) {
            if number != 0 && !self.here.contains(number) {
                self.near.add(number, metres);
            }
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
            look_m,
            most_off_m: off_m.iter().copied().fold(0.0, f64::max),
            off_m,
        }
    }

    /// The first and the last degree that are in sight: near a pole the whole circle.
    fn reach(&self, at: f64, scale: f64, most: f64, look_m: f64) -> (i32, i32) {
        let degrees = look_m / (scale * UNITS);
        let degrees = if degrees < most { degrees } else { most };
        (whole(at - degrees), whole(at + degrees))
    }

    /// The place as seen from a square's corner.
    fn spot(&self, row: i32, column: i32) -> Spot {
        Spot {
            x: (self.east - f64::from(column)) * UNITS,
            y: (self.north - f64::from(row)) * UNITS,
            scale: self.scale,
        }
    }
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

/// The less of two; `f64::min` is a call on some machines.
fn less(one: f64, other: f64) -> f64 {
    if one < other { one } else { other }
}

/// The more of two.
fn more(one: f64, other: f64) -> f64 {
    if one > other { one } else { other }
}

fn wrapped(column: i32) -> u16 {
    u16::try_from(column.rem_euclid(COLUMNS)).unwrap_or(0)
}

impl Claims {
    /// Adds the countries that are not there, and takes those that are.
    fn toggle(&mut self, set: [u8; 4]) {
        for number in set.into_iter().filter(|number| *number != 0) {
            if self.contains(number) {
                self.take(number);
            } else {
                self.add(number);
            }
        }
    }

    /// Adds a country in order, once; 0 is none. What has no room is left out.
    pub(super) fn add(&mut self, number: u8) {
        if number == 0 || self.count == MOST || self.contains(number) {
            return;
        }
        let mut carried = number;
        for place in &mut self.numbers {
            if *place == 0 || *place > carried {
                std::mem::swap(place, &mut carried);
            }
            if carried == 0 {
                break;
            }
        }
        self.count += 1;
    }

    fn take(&mut self, number: u8) {
        let at = self.iter().position(|one| one == number);
        if let Some(rest @ [_, ..]) = at.and_then(|at| self.numbers.get_mut(at..)) {
            rest.rotate_left(1);
            if let Some(last) = rest.last_mut() {
                *last = 0;
            }
            self.count -= 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u8> {
        self.numbers.iter().copied().take(self.count)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a country is there; 0 is not asked for.
    pub(super) fn contains(&self, number: u8) -> bool {
        self.numbers.contains(&number)
    }
}

impl Neighbours {
    /// A country at a distance, or nearer than before; the nearest comes first. What
    /// has no room is left out.
    fn add(&mut self, number: u8, metres: f64) {
        let known = self.iter().position(|one| one.0 == number);
        let mut at = known.unwrap_or(self.count);
        match self.list.get_mut(at) {
            Some(place) if known.is_none() || metres < place.1 => *place = (number, metres),
            _ => return,
        }
        if known.is_none() {
            self.count += 1;
        }
        while let Some(before) = at.checked_sub(1)
            && let Some([one, other]) = self.list.get_mut(before..=at)
            && other.1 < one.1
        {
            std::mem::swap(one, other);
            at = before;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, f64)> {
        self.list.iter().copied().take(self.count)
    }
}
