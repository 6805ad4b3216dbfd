# The published parameters: Zhang et al. 2021 (arXiv 2110.01471) and the code that came with it.
attributor = dict(
    type="VisionAttributor",
    eval_classifier=True,
    feat_iba=dict(
        type="VisionFeatureIBA",
        input_or_output="output",
        active_neurons_threshold=0.01,
        initial_alpha=5.0,
        sigma=1.0,
        relu=False,
        reverse_lambda=False,
        combine_loss=False,
    ),
    input_iba=dict(type="VisionInputIBA", initial_alpha=5.0, sigma=1.0),
    gan=dict(
        type="VisionWGAN",
        generator=dict(type="VisionGenerator"),
        discriminator=dict(type="VisionDiscriminator"),
    ),
)

estimation_cfg = dict(n_samples=1000, verbose=False)

attribution_cfg = dict(
    feat_iba=dict(
        beta=20,
        opt_steps=10,
        lr=1.0,
        lr_schedule="constant",
        batch_size=10,
        noise="fresh",
        min_std=0.01,
        log_every_steps=-1,
    ),
    gan=dict(
        dataset_size=200,
        sub_dataset_size=20,
        lr=5e-5,
        batch_size=32,
        weight_clip=0.01,
        epochs=20,
        critic_iter=5,
        verbose=False,
    ),
    input_iba=dict(
        beta=20,
        opt_steps=60,
        lr=1.0,
        lr_schedule="constant",
        batch_size=10,
        noise="fresh",
        log_every_steps=-1,
    ),
    feat_mask=dict(upscale=True, show=False),
    input_mask=dict(upscale=True, show=False),
)
