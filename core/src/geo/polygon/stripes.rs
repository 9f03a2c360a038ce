//! A polygon made ready to be asked often: its edges by stripes of longitude.
//!
//! The question goes along one meridian, so only edges that pass it count. Each stripe lists
//! the edges that reach into it, a hair more for the rounding, and a question reads one
//! stripe. The arithmetic is that of [`Polygon::covers`] on the same edges, and so is the
//! answer. A ring that goes round the earth, and a small one, is asked as it is.

use super::{Form, Polygon, ROUNDING, Vertex, east_of, is_crossed, one_meridian, step};
use crate::geo::Wgs84;

/// Rings of fewer points are asked as they are.
const FEW: usize = 16;
/// Edges for each stripe, were they spread evenly.
const EDGES: usize = 4;
/// Stripes at most: a ring that turns back often has each edge in many of them.
const MOST: usize = 256;

/// A polygon and its stripes.
#[derive(Debug, Clone)]
pub struct Striped {
    polygon: Polygon,
    /// Stripes in a degree; none where the polygon is asked as it is.
    per_degree: f64,
    stripes: Vec<Vec<Edge>>,
}

/// From a point to the next one.
type Edge = (Vertex, Vertex);

impl Striped {
    /// The polygon, made ready.
    pub fn new(polygon: Polygon) -> Self {
        let ring = polygon.ring();
        let bounds = polygon.bounds;
        let count = (ring.len() / EDGES).clamp(1, MOST);
        let mut striped = Self {
            per_degree: f64::from(u32::try_from(count).unwrap_or(1)) / bounds.width,
            stripes: Vec::new(),
            polygon: Polygon::default(),
        };
        if polygon.form == Form::South && ring.len() >= FEW && bounds.width < 360.0 {
            striped.stripes = vec![Vec::new(); count];
            let mut from = ring.last();
            // Where the edge begins, to the east of the box's west.
            let mut x = from.map_or(0.0, |from| bounds.east_of_west(from[1]));
            for to in ring {
                if let Some(from) = from.replace(to) {
                    let next = x + step(from, to);
                    striped.add((*from, *to), x.min(next), x.max(next));
                    x = next;
                }
            }
        }
        striped.polygon = polygon;
        striped
    }

    fn add(&mut self, edge: Edge, from: f64, to: f64) {
        let first = self.stripe(from - 2.0 * ROUNDING);
        let last = self.stripe(to + 2.0 * ROUNDING);
        for stripe in self.stripes.iter_mut().take(last + 1).skip(first) {
            stripe.push(edge);
        }
    }

    /// The stripe of a place so many degrees east of the box's west.
    fn stripe(&self, east: f64) -> usize {
        let last = self.stripes.len().saturating_sub(1);
        let (mut low, mut high) = (0, last);
        // Counting stripes, since a number with a fraction is no index.
        while low < high {
            let middle = usize::midpoint(low, high + 1);
            let begins = f64::from(u32::try_from(middle).unwrap_or(u32::MAX));
            match east * self.per_degree >= begins {
                true => low = middle,
                false => high = middle - 1,
            }
        }
        low
    }

    /// The polygon itself.
    pub fn polygon(&self) -> &Polygon {
        &self.polygon
    }

    /// Whether the place is inside: as [`Polygon::covers`] says.
    pub fn covers(&self, place: Wgs84) -> bool {
        let longitude = one_meridian(place.longitude());
        if self.stripes.is_empty() {
            return self.polygon.covers(place);
        }
        if !self.polygon.bounds.holds(place) {
            return false;
        }
        let east = self.polygon.bounds.east_of_west(longitude);
        let edges = self.stripes.get(self.stripe(east)).into_iter().flatten();
        let crossed = edges.filter(|(from, to)| {
            let at = |vertex: &Vertex| east_of(longitude, vertex[1]);
            is_crossed((from, at(from)), (to, at(to)), place.latitude())
        });
        crossed.count() % 2 == 1
    }
}
