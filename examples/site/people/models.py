from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class People(BaseUserManager):
    def create_user(self, handle, password=None, **fields):
        person = self.model(handle=handle, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, handle, password=None):
        return self.create_user(handle, password, is_staff=True, is_superuser=True)


class Person(AbstractBaseUser, PermissionsMixin):
    handle = models.CharField(max_length=50, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    USERNAME_FIELD = "handle"
    objects = People()
