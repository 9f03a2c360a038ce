//! One square degree with lines: which countries a place in it is in, and how far the
//! lines are.
//!
//! The countries at the south-west corner are known. From there a path leads east
//! along the south side and then north to the place; each line that it crosses adds
//! its countries, or takes them. A line is in pieces (chains) of some twenty edges;
//! most of them are passed over by their boxes, in whole numbers: this is where a
//! lookup spends its time.
//!
//! Lengths are in angles of the file, 1/16384 degrees, from the corner of the square.

use super::boundaries::{CLASSES, word};

/// Angles in a degree.
pub(super) const UNITS: f64 = 16_384.0;
/// Bytes of a chain's header.
pub(super) const HEADER: usize = 12;
/// Angles of one step of a box.
const BOX: i32 = 64;
/// Marks steps of two bytes.
const WIDE: u8 = 128;

/// The lines of a square degree.
pub(super) struct Cell<'a> {
    /// Set at the south-west corner.
    pub(super) corner: u16,
    headers: &'a [[u8; HEADER]],
    steps: &'a [u8],
}

/// A piece of a line.
#[derive(Clone, Copy)]
pub(super) struct Chain<'a> {
    header: &'a [u8; HEADER],
    steps: &'a [u8],
}

/// A place in angles from a corner, and metres in an angle there, east and north.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) scale: (f64, f64),
}

/// The way to a place from the corner of its square.
#[derive(Clone, Copy)]
pub(super) struct Path {
    /// The place.
    end: (f64, f64),
    /// A whole number is east of the place, or at it, where it is at least this.
    x: i32,
    /// The same in steps of boxes: a box that begins farther west, or ends farther
    /// east, or begins farther south is not all on one side.
    west: i32,
    east: i32,
    south: i32,
}

/// What is as near to a spot as some metres, in whole angles: a little more.
#[derive(Clone, Copy)]
pub(super) struct Window {
    west: i32,
    south: i32,
    east: i32,
    north: i32,
}

type Point = (i32, i32);

impl<'a> Cell<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let (headers, steps) = rest.split_at_checked(usize::from(word(head, 2)) * HEADER)?;
        Some(Self {
            corner: word(head, 0),
            headers: headers.as_chunks().0,
            steps,
        })
    }

    /// The pieces of its lines.
    #[inline(always)]
    pub(super) fn chains(&self) -> impl Iterator<Item = Chain<'a>> {
        let mut rest = self.steps;
        self.headers.iter().map_while(move |header| {
            let [.., edges, kind] = header;
            let (steps, after) = rest.split_at_checked(usize::from(*edges) * width(*kind))?;
            rest = after;
            Some(Chain { header, steps })
        })
    }

    /// Whether the chains fill the cell, and know their sets and classes.
    pub(super) fn is_sound(&self, sets: usize) -> bool {
        let (mut count, mut bytes, mut known) = (0, 0, usize::from(self.corner) < sets);
        for chain in self.chains() {
            count += 1;
            bytes += chain.steps.len();
            known &= usize::from(chain.set()) < sets && chain.class() < CLASSES;
        }
        known && count == self.headers.len() && bytes == self.steps.len()
    }
}

impl Chain<'_> {
    /// The countries that begin or end at it.
    #[inline(always)]
    pub(super) fn set(&self) -> u16 {
        word(self.header, 0)
    }

    /// How exact it is.
    #[inline(always)]
    pub(super) fn class(&self) -> usize {
        let [.., kind] = self.header;
        usize::from(kind & !WIDE)
    }

    #[inline(always)]
    fn first(&self) -> Point {
        let [_, _, _, _, _, _, a, b, c, d, ..] = *self.header;
        let number = |low, high| i32::from(i16::from_le_bytes([low, high]));
        (number(a, b), number(c, d))
    }

    /// Whether the path to the place crosses it an odd number of times.
    #[inline(always)]
    pub(super) fn is_crossed(&self, path: &Path) -> bool {
        let [_, _, west, south, east, ..] = *self.header;
        // Behind the place, only what reaches the south side is crossed.
        let ahead = (i32::from(west) <= path.west) & (i32::from(south) <= path.south);
        let reaches = (i32::from(east) >= path.east) | (south == 0);
        ahead & reaches && self.crosses(path)
    }

    fn crosses(&self, path: &Path) -> bool {
        let mut from = self.first();
        let mut side = (from.0 >= path.x, from.1 >= 0);
        let mut odd = false;
        self.for_each_point(|to| {
            let now = (to.0 >= path.x, to.1 >= 0);
            if now != side {
                odd ^= now.1 != side.1 && crosses_east(from, to, path.end.0);
                odd ^= now.0 != side.0 && crosses_north(from, to, path.end);
                side = now;
            }
            from = to;
        });
        odd
    }

    /// Whether its box, as far as it is in the square, is in the window.
    #[inline(always)]
    pub(super) fn is_in(&self, window: &Window) -> bool {
        let [_, _, west, south, east, north, ..] = *self.header;
        // Without branches: nobody can foretell them.
        (i32::from(west) * BOX <= window.east)
            & (i32::from(south) * BOX <= window.north)
            & ((i32::from(east) + 1) * BOX >= window.west)
            & ((i32::from(north) + 1) * BOX >= window.south)
    }

    /// Square metres from the place to its first point.
    #[inline(always)]
    pub(super) fn first_m2(&self, spot: &Spot) -> f64 {
        let (x, y) = spot.metres(self.first());
        x * x + y * y
    }

    /// Square metres from the place to the nearest of its edges, where that is less
    /// than `most`; else `most`. Edges outside of the window are passed over.
    pub(super) fn distance_m2(&self, spot: &Spot, window: &Window, most: f64) -> f64 {
        let mut nearest = most;
        let mut from = self.first();
        self.for_each_point(|to| {
            let outside = (from.0 < window.west) & (to.0 < window.west)
                | (from.0 > window.east) & (to.0 > window.east)
                | (from.1 < window.south) & (to.1 < window.south)
                | (from.1 > window.north) & (to.1 > window.north);
            if !outside {
                let metres = edge_m2(spot.metres(from), spot.metres(to));
                if metres < nearest {
                    nearest = metres;
                }
            }
            from = to;
        });
        nearest
    }

    /// Its points but the first.
    #[inline(always)]
    fn for_each_point(&self, mut each: impl FnMut(Point)) {
        let (mut x, mut y) = self.first();
        let [.., kind] = *self.header;
        // One loop for both widths: so what is done in it is compiled into it.
        for step in self.steps.chunks_exact(width(kind)) {
            let (east, north) = match *step {
                [east, north] => (east.cast_signed().into(), north.cast_signed().into()),
                [a, b, c, d] => (i16::from_le_bytes([a, b]), i16::from_le_bytes([c, d])),
                _ => return,
            };
            x += i32::from(east);
            y += i32::from(north);
            each((x, y));
        }
    }
}

/// Bytes of a step.
#[inline(always)]
fn width(kind: u8) -> usize {
    if kind & WIDE == 0 { 2 } else { 4 }
}

impl Spot {
    /// East and north of the place, in metres.
    #[inline(always)]
    fn metres(&self, (x, y): Point) -> (f64, f64) {
        let (east, north) = self.scale;
        (
            (f64::from(x) - self.x) * east,
            (f64::from(y) - self.y) * north,
        )
    }

    /// The same to 1/65536 of an angle, 0.1 mm: so the tests of the path have no
    /// rounding, and agree.
    pub(super) fn exact(self) -> Self {
        let exact = |angles: f64| f64::from(whole(angles * 65_536.0)) / 65_536.0;
        Self {
            x: exact(self.x),
            y: exact(self.y),
            ..self
        }
    }

    /// The way to it.
    pub(super) fn path(&self) -> Path {
        let x = -whole(-self.x);
        Path {
            end: (self.x, self.y),
            x,
            west: whole(self.x).div_euclid(BOX),
            east: (x - 1).div_euclid(BOX),
            south: whole(self.y).div_euclid(BOX),
        }
    }

    /// What is as near as some metres.
    pub(super) fn window(&self, metres: f64) -> Window {
        let (x, y) = (metres / self.scale.0, metres / self.scale.1);
        Window {
            west: whole(self.x - x),
            south: whole(self.y - y),
            east: whole(self.x + x).saturating_add(1),
            north: whole(self.y + y).saturating_add(1),
        }
    }
}

/// Above 0 where the place is to the left of the edge.
fn turn(from: Point, to: Point, x: f64, y: f64) -> f64 {
    let (east, north) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    east * (y - f64::from(from.1)) - north * (x - f64::from(from.0))
}

/// Whether the path east, from the corner to below the place, crosses an edge that has
/// an end on either side of it. The path runs a hair south of the side of the square,
/// and begins and ends even less of a hair west: so an edge through either end, or
/// along the side, is on one side of it. The generator says the same.
fn crosses_east(from: Point, to: Point, x: f64) -> bool {
    let (low, high) = if to.1 > from.1 {
        (from, to)
    } else {
        (to, from)
    };
    let is_left = |x: f64| {
        let side = turn(low, high, x, 0.0);
        side > 0.0 || (side == 0.0 && high.0 <= low.0)
    };
    is_left(0.0) && !is_left(x)
}

/// Whether the path north from there to the place crosses an edge that has an end on
/// either side of it.
fn crosses_north(from: Point, to: Point, (x, y): (f64, f64)) -> bool {
    let (west, east) = if to.0 > from.0 {
        (from, to)
    } else {
        (to, from)
    };
    turn(west, east, x, 0.0) <= 0.0 && turn(west, east, x, y) > 0.0
}

/// Square of the distance from the origin to the nearest point of an edge.
#[inline(always)]
fn edge_m2((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> f64 {
    let (x, y) = (x2 - x1, y2 - y1);
    let along = -(x1 * x + y1 * y);
    let long = x * x + y * y;
    if along <= 0.0 {
        x1 * x1 + y1 * y1
    } else if along >= long {
        x2 * x2 + y2 * y2
    } else {
        let across = x1 * y - y1 * x;
        across * across / long
    }
}

/// A number of degrees or angles as a whole number, rounded down.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates"
)]
pub(super) fn whole(number: f64) -> i32 {
    // `f64::floor` is a call on some machines.
    let cut = number as i32;
    if f64::from(cut) > number {
        cut.saturating_sub(1)
    } else {
        cut
    }
}
