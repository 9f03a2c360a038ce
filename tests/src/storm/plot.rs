//! The plot of a storm: what was offered in each second, as SVG, a panel each.

use std::fmt::Write as _;

use super::{Outcome, Storm};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 110.0;
const LEFT: f64 = 90.0;
const GAP: f64 = 46.0;

/// One panel for each run, all on the same axes; the line is the capacity.
pub fn svg(storm: &Storm, runs: &[(&str, Outcome)], seconds: u32) -> String {
    let most = runs.iter().flat_map(|(_, run)| &run.offered).max();
    let top = f64::from(most.copied().unwrap_or(1).max(storm.capacity)) * 1.05;
    let panels = f64::from(u32::try_from(runs.len()).unwrap_or(1));
    let (width, height) = (LEFT + WIDTH + 20.0, 30.0 + panels * (HEIGHT + GAP));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut y = 30.0;
    for (name, run) in runs {
        panel(&mut out, name, run, (y, top, seconds, storm.capacity));
        y += HEIGHT + GAP;
    }
    out.push_str("</svg>\n");
    out
}

fn panel(out: &mut String, name: &str, run: &Outcome, axes: (f64, f64, u32, u32)) {
    let (y, top, seconds, capacity) = axes;
    let x_of = |second: f64| LEFT + second / f64::from(seconds) * WIDTH;
    let y_of = |count: f64| y + HEIGHT - count / top * HEIGHT;
    let mut points = String::new();
    for (second, count) in (0..seconds).zip(run.offered.iter().chain(std::iter::repeat(&0))) {
        let (x, y) = (x_of(f64::from(second)), y_of(f64::from(*count)));
        let _ = write!(points, "{x:.1},{y:.1} ");
    }
    let line = y_of(f64::from(capacity));
    let (base, right) = (y + HEIGHT, LEFT + WIDTH);
    let peak = run.peak_ratio;
    let _ = write!(
        out,
        "<text x=\"{LEFT}\" y=\"{}\">{name}: peak {peak:.2} times the capacity</text>\n\
         <polyline points=\"{points}\" fill=\"none\" stroke=\"#1f5fa8\"/>\n\
         <line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{line:.1}\" y2=\"{line:.1}\" \
         stroke=\"#b02020\" stroke-dasharray=\"5 4\"/>\n\
         <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{capacity}/s</text>\n\
         <path d=\"M{LEFT} {y}V{base}H{right}\" fill=\"none\" stroke=\"black\"/>\n",
        y - 6.0,
        LEFT - 6.0,
        line + 4.0,
    );
    let minutes = seconds / 60;
    let step = (minutes / 8).max(1);
    for minute in (0..=minutes).step_by(usize::try_from(step).unwrap_or(1)) {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{minute} min</text>",
            x_of(f64::from(minute * 60)),
            base + 15.0,
        );
    }
}
