DROP TABLE cost_records;
DROP FUNCTION cost_refuse_change;
