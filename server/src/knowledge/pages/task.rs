//! The thread that asks for the pages: at the start when they are due, then every so many hours.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::visit::GAP;
use super::{Pages, Round};
use crate::config::Knowledge;
use crate::knowledge::Library;
use crate::knowledge::status::{Count, Web};
use crate::outbound::pages::{PageClient, PageError, PageLimits, system_lookup};

/// Milliseconds until what failed is tried again.
const RETRY: i64 = 60 * 60 * 1_000;
const HOUR: i64 = 60 * 60 * 1_000;
/// Pages that could not be fetched and are named.
const NAMED: usize = 50;

impl PageClient {
    /// The client for the pages of the settings.
    ///
    /// # Errors
    /// As [`PageClient::new`].
    pub fn of(settings: &Knowledge) -> Result<Self, PageError> {
        let allowed = settings.allow_private.iter().cloned().map(String::from);
        Self::new(PageLimits::default(), allowed.collect(), system_lookup())
    }
}

/// Starts the thread, if the settings name a page. It ends soon after `stop` is cancelled.
///
/// # Errors
/// When it cannot be started.
pub fn start(
    library: &Arc<Library>,
    settings: &Knowledge,
    stop: CancellationToken,
) -> std::io::Result<()> {
    if library.shelf.pages.is_empty() {
        return Ok(());
    }
    let (library, settings, runtime) = (Arc::clone(library), settings.clone(), Handle::current());
    let work = move || Task { library: &library, stop: &stop, runtime: &runtime }.work(&settings);
    std::thread::Builder::new().name("pages".into()).spawn(work).map(|_| ())
}

struct Task<'a> {
    library: &'a Library,
    stop: &'a CancellationToken,
    runtime: &'a Handle,
}

impl Task<'_> {
    fn work(&self, settings: &Knowledge) {
        let client = match PageClient::of(settings) {
            Ok(client) => client,
            Err(error) => return tracing::error!("pages are not fetched: {error}"),
        };
        let refresh = i64::from(settings.refresh_hours) * HOUR;
        self.say(None);
        let mut asked = false;
        while !self.stop.is_cancelled() {
            let now = self.library.clock.now_ms();
            let next = next(&self.library.shelf.pages, refresh);
            if !asked && next > now {
                asked = self.rest(next - now);
                continue;
            }
            let due = if asked { i64::MAX } else { now - refresh };
            asked = false;
            let round = catch_unwind(AssertUnwindSafe(|| self.round(&client, due)));
            let done = round.unwrap_or_else(|_| Err("it ended in a panic".into()));
            self.say(None);
            if let Err(error) = done {
                tracing::error!("fetching the pages failed: {error}");
                asked = self.rest(RETRY);
            }
        }
    }

    fn round(&self, client: &PageClient, due: i64) -> Result<(), String> {
        let shelf = &self.library.shelf;
        let round = Round {
            pages: &shelf.pages,
            client,
            reader: &shelf.reader,
            clock: &self.library.clock,
            gap: GAP,
            wait: &|pause| self.wait(pause),
            tell: &|count| self.say(Some(count)),
        };
        round.run(due).map_err(|error| error.to_string())
    }

    /// Tells how the pages stand; the keeper sees for itself which have changed.
    fn say(&self, fetching: Option<Count>) {
        let pages = &self.library.shelf.pages;
        let (list, missed) = (pages.list(), pages.missed());
        let web = Web {
            pages: list.pages.iter().filter(|page| page.copy.is_some()).count(),
            fetching,
            asked_at: (list.asked_at > 0).then_some(list.asked_at),
            more_missed: missed.len().saturating_sub(NAMED),
            missed: missed.into_iter().take(NAMED).collect(),
        };
        self.library.status.send_if_modified(|status| {
            let changed = status.web.as_ref() != Some(&web);
            status.web = Some(web);
            changed
        });
    }

    /// Waits; says whether to go on.
    fn wait(&self, pause: Duration) -> bool {
        let stopped = async { tokio::time::timeout(pause, self.stop.cancelled()).await };
        self.runtime.block_on(stopped).is_err() && !self.stop.is_cancelled()
    }

    /// Waits until the next round; says whether the owner wants it now.
    fn rest(&self, ms: i64) -> bool {
        let pause = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        let pages = &self.library.shelf.pages;
        self.runtime.block_on(async {
            tokio::select! {
                () = self.stop.cancelled() => false,
                () = pages.bell.notified() => true,
                () = tokio::time::sleep(pause) => false,
            }
        })
    }
}

/// When to ask next, in milliseconds since 1970: for all pages, or for those that failed.
fn next(pages: &Pages, refresh: i64) -> i64 {
    let list = pages.list();
    let failed = list.pages.iter().any(|page| page.problem.is_some()) || !list.sitemaps.is_empty();
    list.asked_at + if failed { refresh.min(RETRY) } else { refresh }
}
