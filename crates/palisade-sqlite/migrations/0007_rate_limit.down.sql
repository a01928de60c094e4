DROP TABLE limit_holds;
DROP TABLE limit_counters;
