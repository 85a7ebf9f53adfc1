"""Where the parts are joined: plan, cloud, executor and tracker, for each verb. Decides nothing, prints nothing."""
