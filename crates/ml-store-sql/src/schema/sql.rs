//! The tables of the SQL store.

diesel::table! {
    global_ml_data (id) {
        id -> Text,
        source_app -> Text,
        data_type -> Text,
        processed_content -> Nullable<Text>,
        features -> Json,
        event_time -> crate::types::UtcTimestamp,
        created_at -> crate::types::UtcTimestamp,
        raw_id -> Text,
        content_hash -> Text,
        schema_version -> Integer,
    }
}

diesel::table! {
    market_metrics (id) {
        id -> Text,
        source_app -> Text,
        symbol -> Text,
        event_time -> crate::types::UtcTimestamp,
        open -> Nullable<Double>,
        high -> Nullable<Double>,
        low -> Nullable<Double>,
        close -> Double,
        volume -> Nullable<Double>,
        created_at -> crate::types::UtcTimestamp,
        raw_id -> Text,
        content_hash -> Text,
    }
}

diesel::table! {
    user_interactions (id) {
        id -> Text,
        source_app -> Text,
        user_id -> Text,
        item_id -> Text,
        action -> Text,
        value -> Nullable<Double>,
        event_time -> crate::types::UtcTimestamp,
        created_at -> crate::types::UtcTimestamp,
        raw_id -> Text,
        content_hash -> Text,
    }
}

diesel::table! {
    superseded_rows (table_name, id, created_at) {
        table_name -> Text,
        id -> Text,
        created_at -> crate::types::UtcTimestamp,
        superseded_at -> crate::types::UtcTimestamp,
        source_app -> Text,
        data_type -> Nullable<Text>,
        event_time -> crate::types::UtcTimestamp,
        body -> Json,
    }
}

diesel::table! {
    ground_truth (record_id, target, raw_id) {
        record_id -> Text,
        target -> Text,
        value -> Json,
        observed_at -> crate::types::UtcTimestamp,
        created_at -> crate::types::UtcTimestamp,
        raw_id -> Text,
        content_hash -> Text,
    }
}

diesel::table! {
    sync_checkpoints (collection) {
        collection -> Text,
        token -> Text,
        n_read -> BigInt,
        n_written -> BigInt,
        n_unchanged -> BigInt,
        n_quarantined -> BigInt,
        updated_at -> crate::types::UtcTimestamp,
        n_deleted -> BigInt,
        reconciled_at -> Nullable<crate::types::UtcTimestamp>,
    }
}

diesel::table! {
    record_lineage (collection, raw_id) {
        collection -> Text,
        raw_id -> Text,
        content_hash -> Text,
        ingested_at -> crate::types::UtcTimestamp,
        outcome -> Text,
        target_table -> Nullable<Text>,
        row_ids -> Nullable<Json>,
        pipeline -> Text,
        synced_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    settled_past (id) {
        id -> Integer,
        as_of -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    quarantine (collection, raw_id) {
        collection -> Text,
        raw_id -> Text,
        data_type -> Text,
        source_app -> Text,
        record -> Json,
        reasons -> Json,
        first_seen_at -> crate::types::UtcTimestamp,
        last_seen_at -> crate::types::UtcTimestamp,
        attempts -> BigInt,
    }
}

diesel::table! {
    quarantine_reasons (collection, raw_id, place) {
        collection -> Text,
        raw_id -> Text,
        place -> Integer,
        rule -> Text,
        field -> Nullable<Text>,
    }
}

diesel::table! {
    record_warnings (collection, raw_id, place) {
        collection -> Text,
        raw_id -> Text,
        place -> Integer,
        rule -> Text,
        field -> Nullable<Text>,
        message -> Text,
        warned_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    unique_keys (scope, key) {
        scope -> Text,
        key -> Text,
        raw_id -> Text,
        collection -> Text,
    }
}

diesel::table! {
    outbox (id) {
        id -> Text,
        kind -> Text,
        body -> Json,
        body_hash -> Text,
        created_at -> crate::types::UtcTimestamp,
        delivered_at -> Nullable<crate::types::UtcTimestamp>,
        action -> Text,
    }
}

diesel::table! {
    dataset_versions (name, version) {
        name -> Text,
        version -> BigInt,
        spec -> Json,
        as_of -> crate::types::UtcTimestamp,
        n_train -> BigInt,
        n_validation -> BigInt,
        n_test -> BigInt,
        schema -> Json,
        content_hash -> Text,
        file_digest -> Text,
        file_size_bytes -> BigInt,
        created_at -> crate::types::UtcTimestamp,
        joins -> Json,
    }
}

diesel::table! {
    experiments (id) {
        id -> Text,
        number -> BigInt,
        name -> Text,
        artifact_location -> Nullable<Text>,
        lifecycle_stage -> Text,
        created_at -> crate::types::UtcTimestamp,
        updated_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    experiment_tags (experiment_id, key) {
        experiment_id -> Text,
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    runs (id) {
        id -> Text,
        experiment_id -> Text,
        name -> Text,
        user_id -> Text,
        status -> Text,
        lifecycle_stage -> Text,
        started_at -> crate::types::UtcTimestamp,
        ended_at -> Nullable<crate::types::UtcTimestamp>,
        artifact_uri -> Nullable<Text>,
    }
}

diesel::table! {
    params (run_id, key) {
        run_id -> Text,
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    tags (run_id, key) {
        run_id -> Text,
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    metrics (run_id, key, timestamp, step, is_nan, value) {
        run_id -> Text,
        key -> Text,
        timestamp -> crate::types::UtcTimestamp,
        step -> BigInt,
        is_nan -> Bool,
        value -> Double,
    }
}

diesel::table! {
    latest_metrics (run_id, key) {
        run_id -> Text,
        key -> Text,
        timestamp -> crate::types::UtcTimestamp,
        step -> BigInt,
        is_nan -> Bool,
        value -> Double,
    }
}

diesel::table! {
    run_inputs (run_id, name, digest) {
        run_id -> Text,
        name -> Text,
        digest -> Text,
        place -> BigInt,
        body -> Json,
    }
}

diesel::table! {
    registered_models (name) {
        name -> Text,
        description -> Text,
        last_version -> BigInt,
        created_at -> crate::types::UtcTimestamp,
        updated_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    retired_models (name) {
        name -> Text,
        last_version -> BigInt,
    }
}

diesel::table! {
    registered_model_tags (name, key) {
        name -> Text,
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    model_versions (name, version) {
        name -> Text,
        version -> BigInt,
        stage -> Text,
        description -> Text,
        source -> Nullable<Text>,
        user_id -> Text,
        run_id -> Nullable<Text>,
        artifact -> Nullable<Json>,
        reference_profile -> Nullable<Json>,
        signature -> Json,
        lineage -> Json,
        created_at -> crate::types::UtcTimestamp,
        updated_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    model_version_tags (name, version, key) {
        name -> Text,
        version -> BigInt,
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    model_aliases (name, alias) {
        name -> Text,
        alias -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    alias_moves (seq) {
        seq -> BigInt,
        name -> Text,
        alias -> Text,
        from_version -> Nullable<BigInt>,
        to_version -> Nullable<BigInt>,
        user_id -> Text,
        moved_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    model_performance (id) {
        id -> Text,
        run_id -> Nullable<Text>,
        model_name -> Nullable<Text>,
        model_version -> Nullable<BigInt>,
        dataset -> Text,
        split -> Text,
        n_samples -> BigInt,
        metrics -> Json,
        details -> Json,
        evaluated_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    validation_results (id) {
        id -> Text,
        subject -> Text,
        passed -> Bool,
        details -> Json,
        validated_at -> crate::types::UtcTimestamp,
    }
}

diesel::table! {
    drift_reports (id) {
        id -> Text,
        model_name -> Text,
        model_version -> BigInt,
        window -> Text,
        n_samples -> BigInt,
        drifted -> Bool,
        details -> Json,
        created_at -> crate::types::UtcTimestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(quarantine, quarantine_reasons);
