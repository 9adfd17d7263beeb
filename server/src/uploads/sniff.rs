//! What a file is, read from its bytes; and a name for it that no system takes for anything else.

/// Bytes of the beginning that are looked at.
pub const HEAD: usize = 1024;
/// Characters of a name at most, ending included.
const NAME_CHARS: usize = 100;

/// The types that are taken. Whatever is no such file is refused, whatever its name or the browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// PDF.
    Pdf,
    /// Plain UTF-8 text.
    Text,
}

impl Media {
    /// What the first bytes of a file say it is; `None` when it may not be sent.
    pub fn of(head: &[u8]) -> Option<Self> {
        let chunk = |at: usize, name: &[u8]| head.get(at..at + name.len()) == Some(name);
        if chunk(0, b"\x89PNG\r\n\x1a\n") && chunk(12, b"IHDR") {
            Some(Self::Png)
        } else if chunk(0, b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if chunk(0, b"GIF87a") || chunk(0, b"GIF89a") {
            Some(Self::Gif)
        } else if chunk(0, b"RIFF") && chunk(8, b"WEBPVP8") {
            Some(Self::Webp)
        } else if chunk(0, b"%PDF-") {
            Some(Self::Pdf)
        } else {
            (!head.is_empty() && !is_markup(head)).then_some(Self::Text)
        }
    }

    /// Its name in headers and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain",
        }
    }

    /// Endings that a file of the type may keep; the first is given to others.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Gif => &["gif"],
            Self::Webp => &["webp"],
            Self::Pdf => &["pdf"],
            Self::Text => {
                &["txt", "log", "csv", "json", "md", "toml", "yaml", "yml", "ini", "conf"]
            }
        }
    }
}

/// Whether a text begins as a page or a drawing does that a browser would run.
fn is_markup(head: &[u8]) -> bool {
    let bare = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match bare {
        [b'<', next, ..] => next.is_ascii_alphabetic() || matches!(next, b'!' | b'?' | b'/'),
        _ => false,
    }
}

/// Holds the pieces of a text file against what plain text is: UTF-8 without control characters, but those of terminals and lines.
#[derive(Debug, Default)]
pub struct Plain {
    /// The beginning of a character that the next piece ends.
    rest: Vec<u8>,
}

impl Plain {
    /// Whether the text goes on as plain text.
    pub fn is_plain(&mut self, piece: &[u8]) -> bool {
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(piece);
        let whole = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => {
                let (whole, rest) = bytes.split_at(error.valid_up_to());
                self.rest = rest.to_vec();
                match std::str::from_utf8(whole) {
                    Ok(text) => text,
                    Err(_) => return false,
                }
            }
            Err(_) => return false,
        };
        let usual = |c: char| matches!(c, '\t' | '\n' | '\r' | '\x0b' | '\x0c' | '\x1b');
        whole.chars().all(|c| usual(c) || !c.is_control())
    }

    /// Whether the text ended with a whole character.
    pub fn ends_well(&self) -> bool {
        self.rest.is_empty()
    }
}

/// A name for a file of this type: the last part of what the browser called it, without what systems take for something else, with
/// an ending of its type.
pub fn name(given: &str, media: Media) -> String {
    let last = given.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
            || ('\u{e0000}'..='\u{e007f}').contains(&c)
    };
    let kept: String = last.chars().filter(|c| !hidden(*c) && !"<>\"|?*%;".contains(*c)).collect();
    let kept = kept.trim_matches(['.', ' ']);
    let (stem, ending) = kept.rsplit_once('.').unwrap_or((kept, ""));
    let own = media.endings().iter().find(|own| ending.eq_ignore_ascii_case(own));
    // What ends otherwise keeps its ending as a part of the name.
    let stem = if own.is_some() { stem } else { kept }.trim_matches(['.', ' ']);
    let ending = own.copied().unwrap_or(media.endings()[0]);
    let stem: String = stem.chars().take(NAME_CHARS - ending.len() - 1).collect();
    let stem = match stem.is_empty() || is_device(&stem) {
        true => format!("file{}", if stem.is_empty() { String::new() } else { format!("-{stem}") }),
        false => stem,
    };
    format!("{stem}.{ending}")
}

/// Names that Windows keeps for devices, whatever ending they have.
fn is_device(stem: &str) -> bool {
    let first = stem.split('.').next().unwrap_or_default().trim().to_ascii_lowercase();
    let numbered = |name: &str| {
        first
            .strip_prefix(name)
            .is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    ["con", "prn", "aux", "nul"].contains(&first.as_str()) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_say_what_a_file_is() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";
        for (bytes, expect) in [
            (&png[..], Some(Media::Png)),
            (b"\x89PNG\r\n\x1a\n<html><script>", None),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some(Media::Jpeg)),
            (b"GIF89a/*;alert(1)//", Some(Media::Gif)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(Media::Webp)),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"%PDF-1.7\n", Some(Media::Pdf)),
            (b"2026-11-21 ERROR it failed", Some(Media::Text)),
            ("Größe: 3\n".as_bytes(), Some(Media::Text)),
            (b"<svg onload=alert(1)>", None),
            (b"\n  <!DOCTYPE html>", None),
            (b"\xef\xbb\xbf<?xml version='1.0'?>", None),
            (b"< 3 files", Some(Media::Text)),
            (b"PK\x03\x04", None),
            (b"MZ\x90\0", None),
            (b"\x7fELF", None),
            (b"\xff\xfeh\0i\0", None),
            (b"", None),
        ] {
            let mut plain = Plain::default();
            let is =
                Media::of(bytes).filter(|media| *media != Media::Text || plain.is_plain(bytes));
            assert_eq!(is, expect, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn text_may_come_in_any_pieces() {
        let text = "Grüße 🎉\n".as_bytes();
        for cut in 0..text.len() {
            let mut plain = Plain::default();
            assert!(plain.is_plain(&text[..cut]) && plain.is_plain(&text[cut..]), "{cut}");
            assert!(plain.ends_well());
        }
        let mut plain = Plain::default();
        assert!(plain.is_plain(b"a\xf0\x9f"));
        assert!(!plain.ends_well());
    }

    #[test]
    fn names_are_harmless() {
        for (given, media, expect) in [
            ("console.png", Media::Png, "console.png"),
            ("../../etc/passwd", Media::Text, "passwd.txt"),
            ("C:\\temp\\evil.exe", Media::Text, "evil.exe.txt"),
            ("photo.PNG", Media::Png, "photo.png"),
            ("x.svg", Media::Text, "x.svg.txt"),
            ("page.html", Media::Png, "page.html.png"),
            ("CON", Media::Text, "file-CON.txt"),
            ("com1.log", Media::Text, "file-com1.log"),
            ("NUL.png", Media::Png, "file-NUL.png"),
            ("a\0b\u{202e}gnp.exe", Media::Png, "abgnp.exe.png"),
            (".htaccess", Media::Text, "htaccess.txt"),
            ("report.pdf...", Media::Pdf, "report.pdf"),
            ("\"><script>.txt", Media::Text, "script.txt"),
            ("", Media::Gif, "file.gif"),
            ("Grüße.jpeg", Media::Jpeg, "Grüße.jpeg"),
        ] {
            assert_eq!(name(given, media), expect, "{given:?}");
        }
        assert_eq!(name(&"ä".repeat(4_096), Media::Png).chars().count(), NAME_CHARS);
    }
}
