//! The walk over all scopes: it moves index rows of format 1, and counts what each scope holds.

use futures_util::future::{join_all, try_join_all};
use wm_core::{
    jobs::{
        count_usage::{count_usage, store_project_usage},
        update_layout::{Step, is_walk_due, update_layout},
    },
    operation::{Problem, ProblemKind, ReadRequest, UseCase, WorkWriter, authority::head_key},
    record::{Head, Layout, Project, Record, Usage},
    storage::{IndexRows, Item, Scope, WorkPartitions},
    value::AccountId,
};

use crate::{
    Service,
    execute::port_problem,
    ports::{EntropyContext, Provider, Records},
};

/// The number of index rows that are moved at once in each partition.
const ROWS: u32 = 200;
/// The number of pages of scopes that one step visits at most.
const PAGES: usize = 10;
/// The number of scopes whose count may fail in one step, because others keep changing them. With more
/// failures, the database is out of order.
const FAILURES: u32 = 3;
/// The number of scopes that are visited at once.
const SCOPES: usize = 8;
/// The number of projects whose counters are read together.
const PROJECTS: u32 = 50;

impl<P: Provider> Service<P> {
    /// Makes one step of the walk. Returns whether another one is due now. Once `time_left` returns
    /// `false`, the step ends soon.
    ///
    /// Each step records its progress, so the walk goes on from there after a crash.
    ///
    /// # Errors
    /// If the database does not answer, or a newer program wrote the data.
    pub(crate) async fn walk(
        &self,
        partitions: WorkPartitions,
        time_left: impl Fn() -> bool + Sync,
    ) -> Result<bool, Problem> {
        let layout = self.current_layout().await;
        let layout = layout.map_err(|error| port_problem(&error))?;
        if layout.number < Layout::CURRENT || layout.work_partitions < partitions {
            self.step(Step::Prepare(partitions)).await?;
            return Ok(true);
        }
        if !is_walk_due(&layout, self.provider.now()) {
            return Ok(false);
        }
        // At the start of each walk, because a program of format 1 that was still running may have left
        // some.
        if layout.after.is_none() || layout.reindex.is_some() {
            let moved = self.move_rows_of_format_1(layout.work_partitions, &time_left);
            let moved = moved.await?;
            if moved > 0 {
                self.step(Step::MovedRows(moved)).await?;
                return Ok(true);
            }
        }
        let visited = self.visit_scopes(layout.after, &time_left).await?;
        self.step(Step::Visited {
            scopes: visited.scopes,
            from: layout.after,
            to: visited.to,
            is_complete: visited.is_complete,
        })
        .await?;
        match visited.failure {
            Some(problem) => Err(problem),
            None => Ok(!visited.is_complete),
        }
    }

    async fn step(&self, step: Step) -> Result<Layout, Problem> {
        self.run_on_any_layout(&*update_layout(step)).await
    }

    /// Moves rows of format 1 to the partitions of their kind. Returns how many it moved. 0 means that
    /// there are none left.
    async fn move_rows_of_format_1(
        &self,
        partitions: WorkPartitions,
        time_left: &(impl Fn() -> bool + Sync),
    ) -> Result<u64, Problem> {
        let (mut found, mut moved) = (0, 0);
        for rows in IndexRows::unfinished_work_of_format_1() {
            let mut list = rows.list(ROWS);
            loop {
                let page = self.list(&list).await?;
                let mut writer = WorkWriter::default();
                for item in &page.items {
                    if writer.update(item, partitions) {
                        found += 1;
                    } else {
                        tracing::error!(key = %item.key, "found unfinished work of an unknown kind");
                    }
                }
                moved += self.write_rows(writer).await.len() as u64;
                match list.end_of(&page) {
                    Some(row) if time_left() => list.after = Some(row.to_owned()),
                    _ => break,
                }
            }
        }
        if found > 0 && moved == 0 {
            return Err(Problem::unavailable("could not move index rows"));
        }
        Ok(moved)
    }

    async fn visit_scopes(
        &self,
        from: Option<Scope>,
        time_left: &(impl Fn() -> bool + Sync),
    ) -> Result<Visited, Problem> {
        let (mut visited, mut failures) = (Visited::from(from), 0);
        for _ in 0..PAGES {
            let page = self.provider.records().scopes(visited.to).await;
            let page = page.map_err(|error| port_problem(&error))?;
            for chunk in page.scopes.chunks(SCOPES) {
                let counts = chunk.iter().map(|scope| self.count(*scope, time_left));
                let counted = join_all(counts).await;
                let is_out_of_time = counted.contains(&Ok(false));
                for (scope, result) in chunk.iter().zip(counted) {
                    let Err(problem) = result else {
                        continue;
                    };
                    let internal = problem.internal.as_deref();
                    tracing::error!(%scope, %problem, internal, "could not count what a scope holds");
                    failures += u32::from(problem.kind == ProblemKind::Unavailable);
                    if failures > FAILURES {
                        visited.failure = Some(problem);
                        return Ok(visited);
                    }
                }
                if is_out_of_time {
                    return Ok(visited);
                }
                visited.scopes += chunk.len() as u64;
                visited.to = chunk.last().copied();
            }
            visited.is_complete = page.next.is_none();
            visited.to = page.next.or(visited.to);
            if visited.is_complete || !time_left() {
                break;
            }
        }
        Ok(visited)
    }

    /// Counts a scope if a count is due or under way. Returns whether it is complete. A count that is
    /// not goes on from there.
    async fn count(
        &self,
        scope: Scope,
        time_left: &(impl Fn() -> bool + Sync),
    ) -> Result<bool, Problem> {
        loop {
            let counted = self.run_on_any_layout(&*count_usage(scope)).await?;
            for error in &counted.damaged {
                tracing::error!(%scope, %error, "left a record out of a count");
            }
            if let Some((before, after)) = &counted.repaired {
                tracing::error!(%scope, ?before, ?after, "repaired the counters of a scope");
            }
            if !counted.more {
                break;
            }
            if !time_left() {
                return Ok(false);
            }
        }
        if let Scope::Account(account) = scope {
            self.sum_projects(account).await?;
        }
        Ok(true)
    }

    /// Adds up what the projects of an account hold, once all of them are counted.
    async fn sum_projects(&self, account: AccountId) -> Result<(), Problem> {
        let mut list = IndexRows::projects_of_account(account).list(PROJECTS);
        let mut sum = Usage::default();
        loop {
            let page = self.list(&list).await?;
            let heads = page.items.iter().map(|item| self.usage_of_project(item));
            for usage in try_join_all(heads).await? {
                match usage {
                    Some(usage) => sum = sum.plus(usage),
                    None => return Ok(()),
                }
            }
            match list.end_of(&page) {
                Some(row) => list.after = Some(row.to_owned()),
                None => break,
            }
        }
        let account = Scope::Account(account);
        self.run_on_any_layout(&*store_project_usage(account, sum))
            .await
    }

    /// The counters of a project. `None` before the first count.
    async fn usage_of_project(&self, item: &Item) -> Result<Option<Usage>, Problem> {
        let project: Record<Project> =
            Record::decode(item).map_err(|error| Problem::internal(error.to_string()))?;
        let key = head_key(Scope::Project(project.id));
        let facts = self.facts(vec![ReadRequest::Get(key.clone())]).await?;
        let head: Option<Record<Head>> = facts.record(&key)?;
        Ok(head.and_then(|head| head.body.usage))
    }

    /// Runs a job of the walk, which itself determines the layout.
    async fn run_on_any_layout<T: Send>(&self, use_case: &dyn UseCase<T>) -> Result<T, Problem> {
        let env = self.provider.env(EntropyContext::Ephemeral);
        let request_id = env.id("request");
        let context = self.job_context(env, request_id, WorkPartitions::default());
        self.execute(use_case, &context).await
    }
}

/// The scopes that one step visited.
struct Visited {
    scopes: u64,
    /// The scope after which the next step begins.
    to: Option<Scope>,
    /// Whether these were the last scopes.
    is_complete: bool,
    /// The reason why the step ended early.
    failure: Option<Problem>,
}

impl Visited {
    /// None yet, after this scope.
    fn from(to: Option<Scope>) -> Self {
        Self {
            scopes: 0,
            to,
            is_complete: false,
            failure: None,
        }
    }
}
