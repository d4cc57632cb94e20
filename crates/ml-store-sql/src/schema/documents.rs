//! The tables of the embedded document store, one per collection.

/// Declares the table of a collection of raw records; they differ in nothing but the name.
macro_rules! record_table {
    ($name:ident) => {
        diesel::table! {
            $name (seq) {
                seq -> BigInt,
                id -> Text,
                source_app -> Text,
                source -> Nullable<Text>,
                data_type -> Text,
                raw_content -> Json,
                metadata -> Json,
                scraped_at -> Nullable<crate::types::UtcTimestamp>,
                ingested_at -> crate::types::UtcTimestamp,
                content_hash -> Text,
            }
        }
    };
}

record_table!(raw_records);
record_table!(text_corpus);
record_table!(market_data);
record_table!(social_content);

diesel::table! {
    collection_heads (collection) {
        collection -> Text,
        last_seq -> BigInt,
    }
}

diesel::table! {
    deleted_records (collection, seq) {
        collection -> Text,
        seq -> BigInt,
        id -> Text,
    }
}

diesel::table! {
    predictions (id) {
        id -> Text,
        model_name -> Text,
        model_version -> BigInt,
        record_id -> Text,
        target -> Text,
        value -> Json,
        probability -> Nullable<Double>,
        details -> Json,
        event_time -> Nullable<crate::types::UtcTimestamp>,
        predicted_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    embeddings (id) {
        id -> Text,
        record_id -> Text,
        model -> Text,
        vector -> Json,
        created_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    intermediate_results (id) {
        id -> Text,
        run_id -> Text,
        step -> Text,
        body -> Json,
        created_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    figures (id) {
        id -> Text,
        body -> Json,
        recorded_at -> crate::types::UtcTimestamp,
    }
}
