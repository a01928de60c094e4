-- The usage log: one row for each attempt at a model. Rows are added and, when they are old, deleted; never changed.
-- `org`, `project`, `user_part` and `api_key` are parts of the subject, as they stand in the text of its key. Counts and
-- costs are whole numbers of any size, so that no sum leaves its range.
CREATE TABLE cost_records (
    id                  text COLLATE "C" PRIMARY KEY,
    at                  bigint NOT NULL,
    org                 text COLLATE "C",
    project             text COLLATE "C",
    user_part           text COLLATE "C",
    api_key             text COLLATE "C",
    subject             text COLLATE "C" NOT NULL,
    provider            text COLLATE "C" NOT NULL,
    model               text COLLATE "C" NOT NULL,
    layer               text COLLATE "C" NOT NULL,
    status              text COLLATE "C" NOT NULL,
    cost_pico_usd       numeric(39, 0),
    input               numeric(20, 0) NOT NULL,
    output              numeric(20, 0) NOT NULL,
    cache_read          numeric(20, 0) NOT NULL,
    cache_write_5m      numeric(20, 0) NOT NULL,
    cache_write_1h      numeric(20, 0) NOT NULL,
    reasoning           numeric(20, 0) NOT NULL,
    input_audio         numeric(20, 0) NOT NULL,
    output_audio        numeric(20, 0) NOT NULL,
    cache_read_audio    numeric(20, 0) NOT NULL,
    input_image         numeric(20, 0) NOT NULL,
    input_video         numeric(20, 0) NOT NULL,
    citation            numeric(20, 0) NOT NULL,
    web_search_requests numeric(20, 0) NOT NULL,
    search_units        numeric(20, 0) NOT NULL
);

CREATE INDEX cost_records_by_time ON cost_records (at);
CREATE INDEX cost_records_by_org ON cost_records (org, at);

-- Nobody changes history, not even by mistake.
CREATE FUNCTION cost_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'usage records are not changed; a correction is a record of its own' USING ERRCODE = '42501';
END $$;

CREATE TRIGGER cost_records_append_only BEFORE UPDATE ON cost_records
    FOR EACH STATEMENT EXECUTE FUNCTION cost_refuse_change();
