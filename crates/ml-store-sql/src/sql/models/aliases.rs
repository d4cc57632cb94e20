//! Aliases, and the record of their moves.

use diesel::prelude::{ExpressionMethods as _, QueryDsl as _, Queryable};
use diesel::{OptionalExtension as _, QueryResult};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::model::{AliasMove, ModelAlias, ModelName};

use crate::connection::{Connection, on_backend};
use crate::error::Failure;
use crate::schema::sql::{alias_moves, model_aliases};
use crate::types::Instant;

#[derive(Debug, Queryable)]
struct MoveRow {
    name: String,
    alias: String,
    from_version: Option<i64>,
    to_version: Option<i64>,
    user_id: String,
    moved_at: Instant,
}

impl MoveRow {
    fn into_move(self) -> Result<AliasMove, StoreError> {
        let key = format!("{}@{}", self.name, self.alias);
        self.decode().map_err(|err| StoreError::corrupt(Entity::ModelAlias, key, err))
    }

    fn decode(self) -> Result<AliasMove, BoxError> {
        Ok(AliasMove {
            name: ModelName::parse(&self.name)?,
            alias: ModelAlias::parse(&self.alias)?,
            from: self.from_version.map(u32::try_from).transpose()?,
            to: self.to_version.map(u32::try_from).transpose()?,
            user_id: self.user_id,
            moved_at: self.moved_at.0,
        })
    }
}

/// Returns the version that the alias names.
pub(super) async fn find(
    connection: &mut Connection,
    name: &ModelName,
    alias: &ModelAlias,
) -> Result<Option<u32>, Failure> {
    let select = model_aliases::table.find((name.as_str(), alias.as_str())).select(model_aliases::version);
    let version: Option<i64> = on_backend!(connection => select.get_result(connection).await).optional()?;
    let version = version.map(u32::try_from).transpose();
    let corrupt = |err| StoreError::corrupt(Entity::ModelAlias, format!("{name}@{alias}"), err);
    Ok(version.map_err(corrupt)?)
}

/// Makes the alias name the version.
pub(super) async fn put(
    connection: &mut Connection,
    name: &ModelName,
    alias: &ModelAlias,
    version: u32,
) -> QueryResult<()> {
    let version = i64::from(version);
    let insert = diesel::insert_into(model_aliases::table)
        .values((
            model_aliases::name.eq(name.as_str()),
            model_aliases::alias.eq(alias.as_str()),
            model_aliases::version.eq(version),
        ))
        .on_conflict((model_aliases::name, model_aliases::alias))
        .do_update()
        .set(model_aliases::version.eq(version));
    on_backend!(connection => insert.execute(connection).await)?;
    Ok(())
}

/// Removes the alias.
pub(super) async fn remove(connection: &mut Connection, name: &ModelName, alias: &ModelAlias) -> QueryResult<()> {
    let delete = diesel::delete(model_aliases::table.find((name.as_str(), alias.as_str())));
    on_backend!(connection => delete.execute(connection).await)?;
    Ok(())
}

/// Records a move, for ever.
pub(super) async fn record(connection: &mut Connection, alias_move: &AliasMove) -> QueryResult<()> {
    let insert = diesel::insert_into(alias_moves::table).values((
        alias_moves::name.eq(alias_move.name.as_str()),
        alias_moves::alias.eq(alias_move.alias.as_str()),
        alias_moves::from_version.eq(alias_move.from.map(i64::from)),
        alias_moves::to_version.eq(alias_move.to.map(i64::from)),
        alias_moves::user_id.eq(&alias_move.user_id),
        alias_moves::moved_at.eq(Instant(alias_move.moved_at)),
    ));
    on_backend!(connection => insert.execute(connection).await)?;
    Ok(())
}

/// Lists the moves of the model's aliases, oldest first.
pub(super) async fn list_moves(connection: &mut Connection, name: &ModelName) -> Result<Vec<AliasMove>, Failure> {
    let select = alias_moves::table.filter(alias_moves::name.eq(name.as_str())).order(alias_moves::seq).select((
        alias_moves::name,
        alias_moves::alias,
        alias_moves::from_version,
        alias_moves::to_version,
        alias_moves::user_id,
        alias_moves::moved_at,
    ));
    let rows: Vec<MoveRow> = on_backend!(connection => select.load(connection).await)?;
    let moves: Result<Vec<_>, _> = rows.into_iter().map(MoveRow::into_move).collect();
    Ok(moves?)
}
