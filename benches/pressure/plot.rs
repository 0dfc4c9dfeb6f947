//! The picture: goodput and the p99 of critical requests by load, and goodput while a burst comes and goes.

use std::fmt::Write as _;

use crate::run::{Found, LOADS, Setting};

const COLOURS: [&str; 8] = ["#8a8a8a", "#1f77b4", "#56b4c9", "#b08cc9", "#e08214", "#8c564b", "#d6275f", "#1a9850"];
/// Of one panel, without what stands around it.
const SIZE: (f64, f64) = (330.0, 200.0);
const STEP: (f64, f64) = (410.0, 290.0);

/// Three panels a setting, one row each, and the names below.
pub(crate) fn picture(rows: &[(Setting, Vec<Found>)]) -> String {
    let doors = rows.iter().map(|(_, found)| found.len()).max().unwrap_or_default();
    let (width, height) = (STEP.0 * 3.0 + 20.0, STEP.1 * rows.len() as f64 + 40.0 + 20.0 * doors.div_ceil(3) as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (index, (setting, found)) in rows.iter().enumerate() {
        let top = STEP.1 * index as f64 + 50.0;
        let loads = || LOADS.iter().map(|load| (load.log10(), format!("{load} x"))).collect::<Vec<_>>();
        let by_load = |figures: &[f64], map: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
            LOADS
                .iter()
                .zip(figures)
                .filter(|(_, figure)| figure.is_finite())
                .map(|(load, figure)| (load.log10(), map(*figure)))
                .collect()
        };
        let shares = || [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, format!("{share}"))).to_vec();
        let across = (LOADS[0].log10(), LOADS[4].log10());
        let mut panel = Panel::new(&mut svg, 60.0, top, across, (0.0, 1.1));
        panel.axes(&format!("{}: goodput, of the capacity, by load", setting.name), &loads(), &shares());
        for (door, found) in found.iter().enumerate() {
            panel.line(door, &by_load(&found.goodput, &|goodput| goodput / setting.capacity), true);
        }
        // Twice the deadline is what one without a reply counts as.
        let most = setting.deadline.as_secs_f64() * 2e3;
        let ticks: Vec<_> = [10.0, 20.0, 50.0, 100.0, 200.0, 320.0]
            .iter()
            .filter(|tick| **tick <= most)
            .map(|tick: &f64| (tick.log10(), format!("{tick}")))
            .collect();
        let mut panel = Panel::new(&mut svg, 60.0 + STEP.0, top, across, (1.0, most.log10() + 0.05));
        panel.axes("p99 of critical requests that were let in, ms", &loads(), &ticks);
        for (door, found) in found.iter().enumerate() {
            panel.line(door, &by_load(&found.critical_p99, &|p99| p99.clamp(10.0, most).log10()), true);
        }
        let ends = found.iter().filter_map(|found| found.course.last()).map(|(at, _)| *at).fold(1.0, f64::max);
        let seconds: Vec<_> =
            (0..=4).map(|tick| ends * f64::from(tick) / 4.0).map(|at| (at, format!("{at:.0} s"))).collect();
        let mut panel = Panel::new(&mut svg, 60.0 + STEP.0 * 2.0, top, (0.0, ends), (0.0, 1.1));
        panel.axes("goodput while a burst of 10 x comes and goes", &seconds, &shares());
        for (door, found) in found.iter().enumerate() {
            let course: Vec<_> =
                found.course.iter().map(|(at, goodput)| (*at, (goodput / setting.capacity).min(1.1))).collect();
            panel.line(door, &course, false);
        }
    }
    let below = STEP.1 * rows.len() as f64 + 30.0;
    for (door, found) in
        rows.iter().max_by_key(|(_, found)| found.len()).iter().flat_map(|(_, found)| found.iter().enumerate())
    {
        let (x, y) = (60.0 + STEP.0 * (door % 3) as f64, below + 20.0 * (door / 3) as f64);
        let colour = COLOURS[door % COLOURS.len()];
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {y}h24\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{}\">{}</text>",
            x + 32.0,
            y + 4.0,
            found.door
        );
    }
    svg + "</svg>\n"
}

/// A frame with two axes.
struct Panel<'a> {
    svg: &'a mut String,
    left: f64,
    top: f64,
    across: (f64, f64),
    up: (f64, f64),
}

impl<'a> Panel<'a> {
    fn new(svg: &'a mut String, left: f64, top: f64, across: (f64, f64), up: (f64, f64)) -> Self {
        Self { svg, left, top, across, up }
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |value: f64, (from, to): (f64, f64)| (value - from) / (to - from);
        (self.left + SIZE.0 * share(x, self.across), self.top + SIZE.1 * (1.0 - share(y, self.up)))
    }

    fn axes(&mut self, title: &str, across: &[(f64, String)], up: &[(f64, String)]) {
        let Self { left, top, .. } = *self;
        let _ = writeln!(self.svg, "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{title}</text>", top - 12.0);
        let _ = writeln!(
            self.svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#aaa\"/>",
            SIZE.0, SIZE.1
        );
        for (value, name) in across {
            let (x, y) = (self.at((*value, 0.0)).0, top + SIZE.1 + 18.0);
            let _ = writeln!(self.svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{name}</text>");
        }
        for (value, name) in up {
            let y = self.at((0.0, *value)).1;
            let _ = writeln!(
                self.svg,
                "<path d=\"M{left} {y:.1}h{}\" stroke=\"#e4e4e4\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
                SIZE.0,
                left - 6.0,
                y + 4.0
            );
        }
    }

    fn line(&mut self, door: usize, points: &[(f64, f64)], dots: bool) {
        let colour = COLOURS[door % COLOURS.len()];
        let points: Vec<_> = points.iter().map(|point| self.at(*point)).collect();
        let text: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            self.svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\" stroke-linejoin=\"round\"/>",
            text.join(" ")
        );
        for (x, y) in points.iter().filter(|_| dots) {
            let _ = writeln!(self.svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.6\" fill=\"{colour}\"/>");
        }
    }
}
