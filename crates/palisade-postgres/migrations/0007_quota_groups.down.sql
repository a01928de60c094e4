DROP FUNCTION quota_group;
