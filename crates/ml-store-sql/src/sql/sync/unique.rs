//! `unique_keys`: which record was the first to have a value that must be unique.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use diesel::sqlite::SqliteConnection;
use ml_core::error::{Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::record::Collection;
use ml_core::sync::UniqueKey;

use crate::connection::PostgresConnection;
use crate::error::Failure;
use crate::prepared::prepared;
use crate::prepared::prepared_text;
use crate::schema::sql::unique_keys;
use crate::sql::KEYS_PER_QUERY;

/// Makes the record the owner of the value, unless another is.
pub(super) fn claim(sqlite: &mut SqliteConnection, unique: &UniqueKey) -> QueryResult<()> {
    struct Claim;
    let insert = diesel::insert_into(unique_keys::table)
        .values((
            unique_keys::scope.eq(&unique.scope),
            unique_keys::key.eq(&unique.key),
            unique_keys::raw_id.eq(unique.raw_id.as_str()),
            unique_keys::collection.eq(unique.collection.name()),
        ))
        .on_conflict((unique_keys::scope, unique_keys::key))
        .do_nothing();
    prepared::<Claim, _>(insert).execute(sqlite)?;
    Ok(())
}

/// Gives up everything that the record owns.
pub(super) fn release(sqlite: &mut SqliteConnection, collection: Collection, raw_id: &str) -> QueryResult<()> {
    let owned =
        unique_keys::table.filter(unique_keys::collection.eq(collection.name())).filter(unique_keys::raw_id.eq(raw_id));
    diesel::delete(owned).execute(sqlite)?;
    Ok(())
}

/// Returns the owners of those of `keys` that have one.
pub(super) fn find_owners(
    sqlite: &mut SqliteConnection,
    scope: &str,
    keys: &[String],
) -> Result<Vec<UniqueKey>, Failure> {
    let mut owners = Vec::new();
    for some in keys.chunks(KEYS_PER_QUERY) {
        let rows: Vec<OwnerRow> = unique_keys::table
            .filter(unique_keys::scope.eq(scope))
            .filter(unique_keys::key.eq_any(some))
            .select((unique_keys::key, unique_keys::collection, unique_keys::raw_id))
            .load(sqlite)?;
        owners.extend(rows.into_iter().map(|row| owner(scope, row)).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(owners)
}

/// Gives up what the records own, but for what `claims` names them for.
pub(super) async fn release_all(
    postgres: &mut PostgresConnection,
    collection: Collection,
    raw_ids: &[&str],
    claims: &[&UniqueKey],
) -> QueryResult<()> {
    let claims = claims.iter().filter(|claim| claim.collection == collection);
    let claims = claims.map(|claim| (claim.scope.as_str(), (claim.key.as_str(), claim.raw_id.as_str())));
    let (scopes, (keys, owners)): (Vec<_>, (Vec<_>, Vec<_>)) = claims.unzip();
    let delete = diesel::sql_query(
        "DELETE FROM unique_keys AS owned WHERE collection = $1 AND raw_id = ANY($2) AND NOT EXISTS (\
         SELECT FROM unnest($3, $4, $5) AS claimed (scope, key, raw_id) \
         WHERE claimed.scope = owned.scope AND claimed.key = owned.key AND claimed.raw_id = owned.raw_id)",
    )
    .bind::<Text, _>(collection.name())
    .bind::<Array<Text>, _>(raw_ids)
    .bind::<Array<Text>, _>(scopes)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Text>, _>(owners);
    diesel_async::RunQueryDsl::execute(prepared_text(delete), postgres).await?;
    Ok(())
}

/// Makes the records the owners of the values, but for those that others own.
pub(super) async fn claim_all(postgres: &mut PostgresConnection, claims: &[&UniqueKey]) -> QueryResult<()> {
    let claims = claims
        .iter()
        .map(|claim| ((claim.scope.as_str(), claim.key.as_str()), (claim.raw_id.as_str(), claim.collection.name())));
    let ((scopes, keys), (raw_ids, collections)): ((Vec<_>, Vec<_>), (Vec<_>, Vec<_>)) = claims.unzip();
    let insert = diesel::sql_query(
        "INSERT INTO unique_keys (scope, key, raw_id, collection) \
         SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Text>, _>(scopes)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Text>, _>(raw_ids)
    .bind::<Array<Text>, _>(collections);
    diesel_async::RunQueryDsl::execute(prepared_text(insert), postgres).await?;
    Ok(())
}

/// Returns the owners of those of `keys` that have one.
pub(super) async fn find_owners_on_postgres(
    postgres: &mut PostgresConnection,
    scope: &str,
    keys: &[String],
) -> Result<Vec<UniqueKey>, Failure> {
    let select = unique_keys::table
        .filter(unique_keys::scope.eq(scope))
        .filter(unique_keys::key.eq_any(keys))
        .select((unique_keys::key, unique_keys::collection, unique_keys::raw_id));
    let rows: Vec<OwnerRow> = diesel_async::RunQueryDsl::load(select, postgres).await?;
    Ok(rows.into_iter().map(|row| owner(scope, row)).collect::<Result<_, _>>()?)
}

/// A key, and the collection and id of its owner.
type OwnerRow = (String, String, String);

fn owner(scope: &str, (key, collection, raw_id): OwnerRow) -> Result<UniqueKey, StoreError> {
    // Owners from before collections were kept have none; whichever it is, they are others or the record itself by its id.
    let collection = Collection::find_by_name(&collection).unwrap_or(Collection::RawRecords);
    let raw_id = RecordId::parse(raw_id).map_err(|err| StoreError::corrupt(Entity::RawRecord, &key, err))?;
    Ok(UniqueKey { scope: scope.to_owned(), key, collection, raw_id })
}
