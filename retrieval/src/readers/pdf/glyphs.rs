//! Takes the letters of a page with their places, those left out that a reader does not see.

use hayro_interpret::font::{Glyph as Shape, GlyphRun, PositionedGlyph};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::object::Dict;
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Shape as _};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, Paint, SoftMask, TransformExt, interpret_page,
};

/// Letters of a page at most; a dense page of print has 10,000.
const MAX_GLYPHS: usize = 200_000;
/// Coloured areas of a page that are remembered, at most.
const MAX_AREAS: usize = 2_000;
/// Letters smaller than this many points are not read by people.
const MIN_SIZE: f64 = 2.0;
/// Units of a letter's own coordinates in its size.
const UNITS: f64 = 1000.0;
/// From this brightness of each part on a colour counts as white, of 255.
const WHITE: u8 = 245;
/// Weight from which letters are bold.
const BOLD: u32 = 600;

/// A letter, or a few that are drawn as one.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    /// What it says.
    pub(super) text: String,
    /// Its left end, in points from the left.
    pub(super) x: f64,
    /// Its right end.
    pub(super) end: f64,
    /// Its baseline, in points from the top.
    pub(super) y: f64,
    /// Its size in points.
    pub(super) size: f64,
    /// Whether it is bold.
    pub(super) bold: bool,
    /// Whether the page says that it belongs to a heading.
    pub(super) heading: bool,
}

/// What is on a page.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// The letters in the order in which they were drawn.
    pub(super) glyphs: Vec<Glyph>,
    /// Letters of which the file does not say what they mean.
    pub(super) unknown: usize,
    /// Height in points.
    pub(super) height: f64,
    /// Whether something other than text is drawn.
    pub(super) drawn: bool,
}

/// Reads a page.
pub(super) fn sheet<'a>(
    page: &Page<'a>,
    cache: &InterpreterCache<'a>,
    settings: &InterpreterSettings,
) -> Sheet {
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    let bounds = Rect::new(0.0, 0.0, width, height);
    let start = page.initial_transform(true).to_kurbo();
    let mut context = Context::new(start, bounds, cache, page.xref(), settings.clone());
    let mut taker = Taker { bounds, ..Taker::default() };
    interpret_page(page, &mut context, &mut taker);
    taker.sheet()
}

/// A letter as it was drawn.
struct Drawn {
    glyph: Glyph,
    /// Direction of its line, from the left to the right.
    along: (f64, f64),
    at: Point,
    invisible: bool,
    white: bool,
}

#[derive(Default)]
struct Taker {
    bounds: Rect,
    drawn: Vec<Drawn>,
    unknown: usize,
    /// What is drawn below the text: areas that are not white, and pictures.
    areas: Vec<Rect>,
    /// Area of the largest picture.
    picture: f64,
    /// Open marks: whether each is an artifact, and whether it is a heading.
    marks: Vec<(bool, bool)>,
}

impl Taker {
    fn take(&mut self, shape: &PositionedGlyph<'_>, props: &DrawProps<'_>, mode: &DrawMode) {
        let transform = props.transform * shape.transform();
        let [a, b, c, d, ..] = transform.as_coeffs();
        let size = c.hypot(d) * UNITS;
        let at = transform * Point::ZERO;
        let artifact = self.marks.iter().any(|(artifact, _)| *artifact);
        let small = !(MIN_SIZE..=1000.0).contains(&size);
        if artifact || small || !self.bounds.contains(at) || self.drawn.len() >= MAX_GLYPHS {
            return;
        }
        let Some(text) = shape.as_unicode().and_then(text_of) else {
            self.unknown += 1;
            return;
        };
        let (advance, bold) = match &**shape {
            Shape::Outline(outline) => (outline.advance_width(), is_bold(outline)),
            Shape::Type3(drawn) => (drawn.advance_width(), false),
        };
        let end = transform * Point::new(f64::from(advance.unwrap_or(500.0)), 0.0);
        let length = a.hypot(b).max(f64::MIN_POSITIVE);
        let heading = self.marks.iter().any(|(_, heading)| *heading);
        self.drawn.push(Drawn {
            glyph: Glyph { text, x: at.x, end: end.x, y: end.y, size, bold, heading },
            along: (a / length, b / length),
            at,
            invisible: matches!(mode, DrawMode::Invisible),
            white: is_white(&props.paint),
        });
    }

    fn area(&mut self, rect: Rect) {
        let rect = rect.intersect(self.bounds);
        if rect.width() > MIN_SIZE && rect.height() > MIN_SIZE && self.areas.len() < MAX_AREAS {
            self.areas.push(rect);
        }
    }

    /// The visible letters, turned so that their lines go from left to right.
    fn sheet(self) -> Sheet {
        // Text recognition lays its letters unseen over the picture of a page.
        let scan = self.picture > 0.5 * self.bounds.area();
        let seen = |drawn: &Drawn| {
            let behind = || self.areas.iter().any(|area| area.contains(drawn.at));
            (!drawn.invisible || scan) && (!drawn.white || drawn.invisible || behind())
        };
        let turns = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)];
        let lies = |drawn: &Drawn, turn: (f64, f64)| {
            drawn.along.0 * turn.0 + drawn.along.1 * turn.1 > 0.98
        };
        let count =
            |turn: &(f64, f64)| self.drawn.iter().filter(|drawn| lies(drawn, *turn)).count();
        let turn = turns.into_iter().rev().max_by_key(count).unwrap_or(turns[0]);
        // By minus the angle of the text, about the corner of the page.
        let turned = Affine::new([turn.0, -turn.1, turn.1, turn.0, 0.0, 0.0]);
        let page = turned.transform_rect_bbox(self.bounds);
        let back = Affine::translate((-page.x0, -page.y0)) * turned;
        let glyphs =
            self.drawn.iter().filter(|drawn| seen(drawn) && lies(drawn, turn)).map(|drawn| {
                let start = back * drawn.at;
                let end = back * Point::new(drawn.glyph.end, drawn.glyph.y);
                Glyph { x: start.x, end: end.x.max(start.x), y: start.y, ..drawn.glyph.clone() }
            });
        Sheet {
            glyphs: glyphs.collect(),
            unknown: self.unknown,
            height: page.height(),
            drawn: self.picture > 0.0 || !self.areas.is_empty(),
        }
    }
}

impl Device<'_> for Taker {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'_>, mode: &DrawMode) {
        if matches!(mode, DrawMode::Fill(_)) && !is_white(&props.paint) {
            self.area(props.transform.transform_rect_bbox(path.bounding_box()));
        }
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, mode: &DrawMode) {
        run.glyphs().iter().for_each(|glyph| self.take(glyph, &props, mode));
    }

    fn draw_image(&mut self, image: Image<'_, '_>, props: ImageDrawProps<'_>) {
        let size = Rect::new(0.0, 0.0, f64::from(image.width()), f64::from(image.height()));
        let rect = props.transform.transform_rect_bbox(size);
        self.picture = self.picture.max(rect.intersect(self.bounds).area());
        self.area(rect);
    }

    fn begin_marked_content(&mut self, tag: &[u8], _: Option<&Dict<'_>>) {
        let heading = matches!(tag, [b'H'] | [b'H', b'1'..=b'6'] | b"Title");
        self.marks.push((tag == b"Artifact", heading));
    }

    fn end_marked_content(&mut self) {
        self.marks.pop();
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

fn is_bold(outline: &hayro_interpret::font::OutlineGlyph) -> bool {
    outline.font_data().is_some_and(|font| {
        let named = font.postscript_name.unwrap_or_default().to_ascii_lowercase();
        font.weight.is_some_and(|weight| weight >= BOLD)
            || named.contains("bold")
            || named.contains("black")
    })
}

fn is_white(paint: &Paint<'_>) -> bool {
    match paint {
        Paint::Color(color) => {
            let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
            alpha == 0 || [red, green, blue].iter().all(|part| *part >= WHITE)
        }
        Paint::Pattern(_) => false,
    }
}

/// What a letter says; nothing for those of private meaning. Joined letters are taken apart.
fn text_of(found: BfString) -> Option<String> {
    let text = match found {
        BfString::Char(c) => c.to_string(),
        BfString::String(text) => text,
    };
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\u{fb00}' => out.push_str("ff"),
            '\u{fb01}' => out.push_str("fi"),
            '\u{fb02}' => out.push_str("fl"),
            '\u{fb03}' => out.push_str("ffi"),
            '\u{fb04}' => out.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => out.push_str("st"),
            // Symbol fonts draw their bullets from the private area.
            '\u{f0a7}' | '\u{f0b7}' | '\u{f0d8}' | '\u{f0fc}' | '\u{f02d}' => out.push('•'),
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => out.push(' '),
            '\u{fffd}' | '\u{e000}'..='\u{f8ff}' | '\0' => return None,
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    Some(out)
}
