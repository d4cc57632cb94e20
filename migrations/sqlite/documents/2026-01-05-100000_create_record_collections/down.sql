DROP TABLE social_content;
DROP TABLE market_data;
DROP TABLE text_corpus;
DROP TABLE raw_records;
DROP TABLE collection_heads;
