// Thins a line to the fewest of its own points whose straight edges stay within a
// tolerance of every point that is left out (Imai and Iri 1988, with the wedges of
// Chan and Chin 1996): a quarter fewer points than Douglas and Peucker need.

const { METRES } = require("./source");

const FAR = 3000; // points that one edge may replace

// Indices that are kept of `line` ([longitude, latitude]); `tolerance` in metres, one
// for each point.
function thin(line, tolerance) {
  const edges = new Array(line.length).fill(Infinity);
  const before = new Array(line.length).fill(-1);
  edges[0] = 0;
  for (let from = 0; from < line.length - 1; from++)
    forEachReach(line, tolerance, from, (to) => {
      if (edges[from] + 1 < edges[to]) {
        edges[to] = edges[from] + 1;
        before[to] = from;
      }
    });
  const kept = [];
  for (let at = line.length - 1; at >= 0; at = before[at]) kept.push(at);
  return kept.reverse();
}

// Each point that a straight edge from `from` may lead to: the wedge holds the
// directions that pass all points between closely enough.
function forEachReach(line, tolerance, from, reach) {
  const [lon, lat] = line[from];
  const k = Math.cos((lat * Math.PI) / 180);
  let [base, low, high] = [null, -Infinity, Infinity];
  let farthest = 0; // an edge must reach beyond every point that it replaces
  for (let to = from + 1; to < line.length && to - from <= FAR; to++) {
    const x = (line[to][0] - lon) * k * METRES;
    const y = (line[to][1] - lat) * METRES;
    const length = Math.hypot(x, y);
    const near = tolerance[to];
    let angle = 0;
    if (base !== null) {
      angle = Math.atan2(y, x) - base;
      if (angle > Math.PI) angle -= 2 * Math.PI;
      if (angle < -Math.PI) angle += 2 * Math.PI;
    }
    const within = low <= angle && angle <= high && farthest <= length + near;
    if (to === from + 1 || within) reach(to);
    farthest = Math.max(farthest, length);
    if (length <= near) continue;
    if (base === null) base = Math.atan2(y, x);
    const half = Math.asin(near / length);
    low = Math.max(low, angle - half);
    high = Math.min(high, angle + half);
    if (low > high) return;
  }
}

module.exports = { thin };
