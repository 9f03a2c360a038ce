//! One square degree with lines: which countries a place in it is in, and how far the
//! lines are.
//!
//! The countries at the south-west corner are known. From there a path leads east
//! along the south side and then north to the place; each line that it crosses adds
//! its countries, or takes them. A line is in pieces (chains) of some twenty edges;
//! most of them are passed over by their boxes.
//!
//! Lengths are in angles of the file, 1/16384 degrees, from the corner of the square.

use super::boundaries::{CLASSES, word};

/// Angles in a degree.
pub(super) const UNITS: f64 = 16_384.0;
/// Bytes of a chain's header.
pub(super) const HEADER: usize = 12;
/// Angles of one step of a box.
const BOX: f64 = 64.0;
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
pub(super) struct Chain<'a> {
    /// The countries that begin or end at it.
    pub(super) set: u16,
    /// How exact it is.
    pub(super) class: usize,
    low: (f64, f64),
    high: (f64, f64),
    first: (f64, f64),
    steps: &'a [u8],
    wide: bool,
}

/// A place in angles from a corner, and metres in an angle there, east and north.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) scale: (f64, f64),
}

type Point = (f64, f64);

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
    pub(super) fn chains(&self) -> impl Iterator<Item = Chain<'a>> {
        let mut rest = self.steps;
        self.headers.iter().map_while(move |header| {
            let (chain, after) = Chain::read(header, rest)?;
            rest = after;
            Some(chain)
        })
    }

    /// Whether the chains fill the cell, and know their sets and classes.
    pub(super) fn is_sound(&self, sets: usize) -> bool {
        let (mut count, mut bytes, mut known) = (0, 0, usize::from(self.corner) < sets);
        for chain in self.chains() {
            count += 1;
            bytes += chain.steps.len();
            known &= usize::from(chain.set) < sets && chain.class < CLASSES;
        }
        known && count == self.headers.len() && bytes == self.steps.len()
    }
}

impl<'a> Chain<'a> {
    fn read(header: &[u8; HEADER], steps: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let [_, _, west, south, east, north, .., edges, kind] = *header;
        let wide = kind & WIDE != 0;
        let bytes = usize::from(edges) * if wide { 4 } else { 2 };
        let (steps, rest) = steps.split_at_checked(bytes)?;
        let corner = |at: u8| f64::from(at) * BOX;
        let first = |at: usize| f64::from(word(header, at).cast_signed());
        let chain = Self {
            set: word(header, 0),
            class: usize::from(kind & !WIDE),
            low: (corner(west), corner(south)),
            high: (corner(east) + BOX, corner(north) + BOX),
            first: (first(6), first(8)),
            steps,
            wide,
        };
        Some((chain, rest))
    }

    /// Whether the path from the corner to the place crosses it an odd number of times.
    pub(super) fn is_crossed(&self, spot: &Spot) -> bool {
        let ahead = self.low.0 <= spot.x && self.low.1 <= spot.y;
        // Behind the place, only what reaches the south side is crossed.
        let reaches = self.high.0 >= spot.x || self.low.1 <= 0.0;
        let mut odd = false;
        if ahead && reaches {
            self.for_each_edge(|from, to| {
                odd ^= crosses_east(from, to, spot.x) ^ crosses_north(from, to, spot);
            });
        }
        odd
    }

    /// Square metres from the place to its box: no part of it in the square is nearer.
    pub(super) fn box_m2(&self, spot: &Spot) -> f64 {
        let gap = |low: f64, high: f64, at: f64| (low - at).max(at - high).max(0.0);
        let x = gap(self.low.0, self.high.0, spot.x) * spot.scale.0;
        let y = gap(self.low.1, self.high.1, spot.y) * spot.scale.1;
        x * x + y * y
    }

    /// Square metres from the place to the nearest of its edges.
    pub(super) fn distance_m2(&self, spot: &Spot) -> f64 {
        let mut nearest = f64::INFINITY;
        let flat = |(x, y): Point| ((x - spot.x) * spot.scale.0, (y - spot.y) * spot.scale.1);
        self.for_each_edge(|from, to| {
            nearest = nearest.min(origin_m2(flat(from), flat(to)));
        });
        nearest
    }

    fn for_each_edge(&self, mut each: impl FnMut(Point, Point)) {
        let mut from = self.first;
        let mut step = |x: f64, y: f64| {
            let to = (from.0 + x, from.1 + y);
            each(from, to);
            from = to;
        };
        if self.wide {
            for [a, b, c, d] in self.steps.as_chunks().0 {
                let (x, y) = (i16::from_le_bytes([*a, *b]), i16::from_le_bytes([*c, *d]));
                step(x.into(), y.into());
            }
        } else {
            for [x, y] in self.steps.as_chunks().0 {
                step(x.cast_signed().into(), y.cast_signed().into());
            }
        }
    }
}

/// Above 0 where the place is to the left of the edge.
fn turn(from: Point, to: Point, x: f64, y: f64) -> f64 {
    (to.0 - from.0) * (y - from.1) - (to.1 - from.1) * (x - from.0)
}

/// Whether the path east, from the corner to below the place, crosses the edge. It
/// runs a hair south of the side, and begins and ends even less of a hair west: so an
/// edge through either end, or along the side, is on one side of the path. The
/// generator says the same.
fn crosses_east(from: Point, to: Point, x: f64) -> bool {
    if (from.1 >= 0.0) == (to.1 >= 0.0) {
        return false;
    }
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

/// Whether the path north from there to the place crosses the edge.
fn crosses_north(from: Point, to: Point, spot: &Spot) -> bool {
    if (from.0 >= spot.x) == (to.0 >= spot.x) {
        return false;
    }
    let (west, east) = if to.0 > from.0 {
        (from, to)
    } else {
        (to, from)
    };
    turn(west, east, spot.x, 0.0) <= 0.0 && turn(west, east, spot.x, spot.y) > 0.0
}

/// Square of the distance from the origin to the nearest point of an edge.
fn origin_m2((x1, y1): Point, (x2, y2): Point) -> f64 {
    let (x, y) = (x2 - x1, y2 - y1);
    let part = (-(x1 * x + y1 * y) / (x * x + y * y)).clamp(0.0, 1.0);
    let (x, y) = (x1 + part * x, y1 + part * y);
    x * x + y * y
}
