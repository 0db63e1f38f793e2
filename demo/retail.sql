-- UCI Online Retail as invoices: positive ones are orders, cancellations refunds.
CREATE EXTENSION churn;
CREATE TABLE invoices (
    customer_id bigint,
    invoice_no text,
    invoice_ts timestamp,
    amount numeric,
    items bigint,
    lines int,
    country text,
    is_cancellation boolean
);
CREATE VIEW events AS
    SELECT customer_id AS user_id, invoice_ts AS ts, amount,
        CASE WHEN is_cancellation THEN 'refund' ELSE 'order' END AS kind
    FROM invoices
    WHERE amount > 0 OR is_cancellation;
