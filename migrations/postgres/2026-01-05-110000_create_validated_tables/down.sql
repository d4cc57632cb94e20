DROP TABLE user_interactions;
DROP TABLE market_metrics;
DROP TABLE global_ml_data;
